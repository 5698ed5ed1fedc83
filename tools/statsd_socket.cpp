#include "statsd_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>        // errno
#include <cstring>       // std::memcpy
#include <memory>        // addresses
#include <stdexcept>     // std::invalid_argument
#include <system_error>  // failed calls

namespace statsd_socket {
namespace {

constexpr std::size_t largest_datagram = 65536;

int check(int result, const std::string& call) {
  if (result < 0) throw std::system_error{errno, std::generic_category(), call};
  return result;
}

int open_socket(int family) {
  const int descriptor = check(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  // Less than this is granted; what counts is that a busy machine loses no datagram.
  const int bytes = 4 << 20;
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  return descriptor;
}

[[noreturn]] void refuse(std::string_view address) {
  throw std::invalid_argument{"'" + std::string{address} + "' is no address: write udp://host:port or unix:///path"};
}

int port_of(int descriptor) {
  sockaddr_in6 bound{};  // the port stands at the same place for IPv4
  socklen_t size = sizeof bound;
  check(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size), "getsockname");
  return ntohs(bound.sin6_port);
}

/// Whether a dead receiver has left this path behind: a socket that nobody reads.
bool is_left_behind(const sockaddr_un& address) {
  struct stat file {};
  if (::lstat(address.sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const int probe = open_socket(AF_UNIX);
  const int connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  (void)::close(probe);
  return connected != 0 && error == ECONNREFUSED;
}

}  // namespace

Socket::Socket(std::string_view address) : buffer_(largest_datagram) {
  constexpr std::string_view udp = "udp://";
  constexpr std::string_view unix_datagram = "unix://";
  if (address.starts_with(udp)) {
    bind_udp(address.substr(udp.size()));
  } else if (address.starts_with(unix_datagram)) {
    bind_unix(std::string{address.substr(unix_datagram.size())});
  } else {
    refuse(address);
  }
}

Socket::~Socket() {
  (void)::close(descriptor_);
  if (!path_.empty()) (void)::unlink(path_.c_str());
}

void Socket::bind_udp(std::string_view host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  if (colon == std::string_view::npos || colon == 0) refuse(host_and_port);
  const std::string written{host_and_port.substr(0, colon)};
  const bool bracketed = written.starts_with('[') && written.ends_with(']');
  const std::string host = bracketed ? written.substr(1, written.size() - 2) : written;
  const std::string port{host_and_port.substr(colon + 1)};

  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    throw std::invalid_argument{"udp://" + std::string{host_and_port} + ": " + ::gai_strerror(error)};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> endpoint{found, ::freeaddrinfo};
  descriptor_ = open_socket(endpoint->ai_family);
  check(::bind(descriptor_, endpoint->ai_addr, endpoint->ai_addrlen), "udp://" + std::string{host_and_port});
  address_ = "udp://" + written + ":" + std::to_string(port_of(descriptor_));
}

void Socket::bind_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!path.starts_with('/') || path.size() >= sizeof address.sun_path) refuse("unix://" + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (is_left_behind(address)) (void)::unlink(path.c_str());
  descriptor_ = open_socket(AF_UNIX);
  check(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "unix://" + path);
  path_ = path;
  address_ = "unix://" + path;
}

std::optional<std::string_view> Socket::receive() {
  const ssize_t bytes = ::recv(descriptor_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (bytes < 0) return std::nullopt;
  return std::string_view{buffer_.data(), static_cast<std::size_t>(bytes)};
}

}  // namespace statsd_socket
