// statsd_socket.hpp - the socket of a StatsD receiver: bound, large, and read without waiting.

#pragma once

#include <optional>     // a datagram that may be there
#include <string>       // the address
#include <string_view>  // datagrams
#include <vector>       // the buffer

namespace statsd_socket {

class Socket {
 public:
  /// Binds to `udp://host:port` (IPv4, [IPv6] or a name; port 0: any that is free) or `unix:///path`. A path that a
  /// dead receiver has left behind is taken over. Throws std::invalid_argument for an address that is none,
  /// std::system_error when it can't be had.
  explicit Socket(std::string_view address);
  /// Takes its path with it.
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// As a sender has to write it.
  const std::string& address() const { return address_; }
  int descriptor() const { return descriptor_; }

  /// The next datagram; nothing when none waits. Valid until the next call.
  std::optional<std::string_view> receive();

 private:
  void bind_udp(std::string_view host_and_port);
  void bind_unix(const std::string& path);

  int descriptor_ = -1;
  std::string address_;
  std::string path_;
  std::vector<char> buffer_;
};

}  // namespace statsd_socket
