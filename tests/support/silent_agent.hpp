// support/silent_agent.hpp - a socket that takes datagrams in and that nobody reads: no thread, no allocation.

#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "support/loopback.hpp"

namespace support {

/// What its buffer has no room for, the kernel drops: to its sender all of it is accepted.
class SilentAgent {
 public:
  SilentAgent() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, any, size) != 0 || ::getsockname(socket_, any, &size) != 0) {
      throw std::system_error{errno, std::generic_category(), "bind"};
    }
    port_ = ntohs(address.sin_port);
  }
  SilentAgent(const SilentAgent&) = delete;
  SilentAgent& operator=(const SilentAgent&) = delete;
  ~SilentAgent() { (void)::close(socket_); }

  std::string address() const { return "udp://127.0.0.1:" + std::to_string(port_); }

  /// Makes room: drops what has arrived.
  void empty() const {
    char byte = 0;
    while (::recv(socket_, &byte, 1, MSG_DONTWAIT) >= 0) continue;
  }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace support
