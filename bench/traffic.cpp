#include "traffic.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <stdexcept>

namespace bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int bound_socket() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(0);
  const int room = 4 << 20;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT: the API's idiom
    throw std::runtime_error{"no socket on 127.0.0.1"};
  }
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT: the API's idiom
  return ntohs(address.sin_port);
}

[[noreturn]] void read_for_ever(int socket, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it ended before the line above
  std::array<std::byte, 65536> datagram;
  for (;;) (void)!::recv(socket, datagram.data(), datagram.size(), 0);
}

}  // namespace

Receiver::Receiver() {
  const int socket = bound_socket();
  port_ = port_of(socket);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) read_for_ever(socket, parent);
  ::close(socket);
  if (process_ < 0) throw std::runtime_error{"no process for the receiver"};
}

Receiver::~Receiver() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

Sender::Sender(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
  const sockaddr_in address = loopback(port);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {  // NOLINT: the API's idiom
    throw std::runtime_error{"no connection to 127.0.0.1"};
  }
}

Sender::~Sender() { ::close(socket_); }

void Sender::send(const std::string& datagram) const {
  (void)!::send(socket_, datagram.data(), datagram.size(), MSG_DONTWAIT);
}

std::vector<Delivery> many_deliveries(std::uint32_t endpoints) {
  std::mt19937_64 random{2026};
  std::uniform_int_distribution<std::uint32_t> endpoint{0, endpoints - 1};
  std::lognormal_distribution<double> microseconds{std::log(120'000.0), 0.5};
  std::vector<Delivery> result(std::size_t{1} << 20U);
  for (Delivery& delivery : result) delivery = {endpoint(random), static_cast<std::uint32_t>(microseconds(random))};
  return result;
}

}  // namespace bench
