// What the programs that really send share: a receiver that reads, and deliveries enough that durations do not repeat
// as they would in a short round.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "workload.hpp"

namespace bench {

/// Reads what comes to a UDP socket in a process of its own, so that reading is no part of our CPU time. Made before
/// any thread: it forks.
class Receiver {
 public:
  Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  std::uint16_t port() const { return port_; }
  std::string address() const { return "udp://127.0.0.1:" + std::to_string(port_); }

 private:
  std::uint16_t port_;
  pid_t process_;
};

/// A connected UDP socket and nothing else.
class Sender {
 public:
  explicit Sender(std::uint16_t port);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender();

  void send(const std::string& datagram) const;

 private:
  int socket_;
};

/// 2^20 deliveries to `endpoints` endpoints in random order, durations log-normal with median 120 ms and sigma 0.5. The
/// same in every run.
std::vector<Delivery> many_deliveries(std::uint32_t endpoints);

}  // namespace bench
