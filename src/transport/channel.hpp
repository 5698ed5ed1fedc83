// transport/channel.hpp - a connected, non-blocking datagram socket to the agent, and what became of what was sent.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "transport/address.hpp"
#include "transport/resolver.hpp"

namespace event_metrics::inline v0::transport {

enum class Verdict : std::uint8_t {
  accepted,  ///< the kernel has it; on UDP a refusal may follow, see next_refusal()
  later,     ///< no room now
  refused,   ///< nobody listens there; a unix socket has to be opened anew
  too_big,   ///< more than the way can carry in one datagram
  broken,    ///< this socket is of no more use
};

/// Whether an error of open() says that the host is there and the agent is not.
bool nobody_listens(std::error_code error) noexcept;

/// Used by one thread at a time. Nothing here blocks.
class Channel {
 public:
  /// Makes no connection yet, but begins to look its host up. Throws std::bad_alloc.
  explicit Channel(Address address);
  ~Channel();

  const Address& address() const noexcept { return resolver_.address(); }
  bool is_open() const noexcept;

  /// Follows the host's name; to be called now and then. True while the socket leads to where the name no longer does:
  /// open() once nothing that was sent can be refused any more.
  bool refresh(Resolver::Clock::time_point now) noexcept;

  /// Connects a new socket to the first endpoint that has a route; the error when there is none. Equals
  /// std::errc::operation_in_progress while the first look-up is young, which is no failure.
  std::error_code open() noexcept;
  void close() noexcept;

  /// Whether somebody else has closed the socket since the last look. If so it is not touched again, as its number may
  /// be that of something else by now.
  bool lost() noexcept;

  /// In a forked child: closes its copy of the parent's socket. Nothing else may be done with the channel there.
  void close_in_child() const noexcept;

  /// Whether the unix socket's path names another socket now than the one that is connected. Asks the file system.
  bool moved() const noexcept;

  Verdict send(std::string_view datagram) noexcept;
  /// Why the last send was not accepted, or what it accepted was refused.
  std::error_code error() const noexcept { return error_; }

  /// How many of a refused datagram's first bytes come back; 0 where what is accepted is never refused.
  std::size_t quoted_bytes() const noexcept;

  /// The first bytes of the next datagram that was accepted and then refused, or nothing. Valid until the next call.
  /// Source: ip(7), IP_RECVERR.
  std::optional<std::string_view> next_refusal() noexcept;

 private:
  struct Socket;

  Resolver resolver_;
  Endpoint peer_;
  const std::unique_ptr<Socket> socket_;
  std::error_code error_;
};

}  // namespace event_metrics::inline v0::transport
