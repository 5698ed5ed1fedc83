// support/loopback.hpp - free ports, what the kernel knows of a socket, and a page over HTTP.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace support {

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// For an agent that cannot be told to choose one itself: free for both protocols a moment ago.
inline int free_port() {
  for (int tries = 0; tries < 100; ++tries) {
    const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool free = ::bind(tcp, any, size) == 0 && ::getsockname(tcp, any, &size) == 0 && ::bind(udp, any, size) == 0;
    (void)::close(tcp);
    (void)::close(udp);
    if (free) return ntohs(address.sin_port);
  }
  return 0;
}

struct UdpSocket {
  std::uint64_t queued = 0;  ///< bytes that its owner has not read yet
  std::uint64_t dropped = 0;
};

/// The socket that reads `port`; nothing while there is none.
inline std::optional<UdpSocket> udp_socket(int port) {
  std::ifstream table{"/proc/net/udp"};
  std::string line;
  while (std::getline(table, line)) {
    unsigned local = 0;
    unsigned long queued = 0;
    unsigned long long dropped = 0;
    if (std::sscanf(line.c_str(), " %*d: %*8x:%4x %*x:%*x %*x %*x:%lx", &local, &queued) != 2) continue;
    if (local != static_cast<unsigned>(port)) continue;
    line.erase(line.find_last_not_of(' ') + 1);
    (void)std::sscanf(line.c_str() + line.rfind(' '), "%llu", &dropped);
    return UdpSocket{queued, dropped};
  }
  return std::nullopt;
}

/// Whether somebody accepts a connection.
inline bool tcp_answers(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool answers = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  (void)::close(socket);
  return answers;
}

/// The body of `path`; nothing when there is no such page or nobody answers within ten seconds.
inline std::optional<std::string> http_get(int port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{10, 0};
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const sockaddr_in address = loopback(port);
  std::string answer;
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[65536];
    for (ssize_t size = 0; (size = ::recv(socket, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(size));
    }
  }
  (void)::close(socket);
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos || answer.substr(0, answer.find('\r')).find(" 200") == std::string::npos) return {};
  return answer.substr(head + 4);
}

}  // namespace support
