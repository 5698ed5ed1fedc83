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

  /// Follows the host's name, and throws away what the agent has answered; to be called before each burst. True once
  /// the socket leads to where the name no longer does, or where it went on to and the name has been looked up since:
  /// open() once nothing that was sent can be refused any more.
  bool refresh(Resolver::Clock::time_point now) noexcept;

  /// Connects a new socket to the first endpoint that has a route; the error when there is none. Equals
  /// std::errc::operation_in_progress while the first look-up is young, which is no failure.
  std::error_code open() noexcept;
  void close() noexcept;

  /// Whether the name has endpoints behind the one that the socket leads to.
  bool has_next() const noexcept;
  /// The next open() begins with the endpoint behind the present one. All others begin with the first, or an endpoint
  /// that is silent could keep us.
  void go_on() noexcept;
  /// Whether the socket leads to where it went on to.
  bool went_on() const noexcept { return went_on_; }

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

  /// Whether a datagram that was accepted and then refused comes back, by its first bytes: on UDP, unless the kernel
  /// knows no IP_RECVERR. Source: ip(7).
  bool tells_refusals() const noexcept;
  /// How many of its first bytes that are at most.
  std::size_t quoted_bytes() const noexcept;
  /// From now on at most so many, as one that came back has shown.
  void quotes_less(std::size_t bytes) noexcept;

  /// The first bytes of the next datagram that was accepted and then refused, or nothing. Valid until the next call.
  std::optional<std::string_view> next_refusal() noexcept;

 private:
  struct Socket;

  Resolver resolver_;
  Endpoint peer_;
  std::optional<Endpoint> next_;  // where the next open() begins
  bool went_on_ = false;
  const std::unique_ptr<Socket> socket_;
  std::error_code error_;
};

}  // namespace event_metrics::inline v0::transport
