// transport/address.hpp - where an agent listens, from the text of Options::address.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace event_metrics::inline v0::transport {

struct Address {
  enum class Kind : std::uint8_t { udp, unix_datagram };
  Kind kind = Kind::udp;
  std::string host;        ///< a name, an IPv4 or an IPv6 address without brackets; for unix sockets the path
  std::uint16_t port = 0;  ///< 1 to 65535; 0 for unix sockets
  std::string text;        ///< for messages: `udp://host:port` or `unix:///path`; holds no control bytes
};

/// Reads `udp://host:port`, `unix:///path` or `unixgram:///path`. Throws std::invalid_argument with one sentence that
/// names `field` and what to write instead, and never repeats `text`: it may hold a secret. Resolves nothing.
Address parse_address(std::string_view text, std::string_view field = "Options.address");

}  // namespace event_metrics::inline v0::transport
