// A service with an Asio of its own, which receives what event-metrics sends. A program, or a plugin of host.cpp.

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "asio_work.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using namespace event_metrics;
using namespace std::chrono_literals;

constexpr int rounds = 3;
constexpr std::string_view url = "https://hooks.example.com/T0/secret";

/// Sums the counters that arrive, by name, for as long as the timer runs.
class Agent {
 public:
  explicit Agent(asio::io_context& io)
      : socket_{io, udp::endpoint{asio::ip::address_v4::loopback(), 0}}, timer_{io, 5s} {
    timer_.async_wait([this](boost::system::error_code) { socket_.close(); });
    receive();
  }
  std::string address() const { return "udp://127.0.0.1:" + std::to_string(socket_.local_endpoint().port()); }
  bool has_all() const {
    return sum("notification.delivery.attempts") == 3 * rounds &&
           sum("notification.delivery.successes") == 2 * rounds && sum("notification.delivery.failures") == rounds;
  }
  long sum(const std::string& name) const {
    const auto found = sums_.find(name);
    return found == sums_.end() ? 0 : found->second;
  }

 private:
  void receive() {
    socket_.async_receive(asio::buffer(bytes_), [this](boost::system::error_code error, std::size_t size) {
      if (error) return;
      read({bytes_.data(), size});
      if (has_all()) timer_.cancel();
      receive();
    });
  }
  void read(std::string_view datagram) {
    while (!datagram.empty()) {
      const std::string_view line = datagram.substr(0, datagram.find('\n'));
      datagram.remove_prefix(std::min(line.size() + 1, datagram.size()));
      const std::size_t colon = line.find(':');
      if (line.find("|c|#endpoint:hooks.example.com") == line.npos) continue;
      sums_[std::string{line.substr(0, colon)}] += std::strtol(line.data() + colon + 1, nullptr, 10);
    }
  }

  udp::socket socket_;
  asio::steady_timer timer_;
  std::array<char, 2048> bytes_;
  std::map<std::string, long> sums_;
};

}  // namespace

extern "C" int run_service() {
  if (const int wrong = asio_work(); wrong != 0) return wrong;
  asio::io_context io;
  Agent agent{io};
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = agent.address(), .on_error = [](std::string_view) {}}};
  for (int round = 0; round < rounds; ++round) {
    metrics.record_delivery_success(url, 12ms);
    metrics.record_delivery_success(url, 13ms);
    metrics.record_delivery_failure(url, 503);
    if (!metrics.flush(2s)) return 4;
  }
  io.run();
  std::printf("attempts %ld, successes %ld, failures %ld\n", agent.sum("notification.delivery.attempts"),
              agent.sum("notification.delivery.successes"), agent.sum("notification.delivery.failures"));
  // Refused: the socket is closed. It stays owed, and nobody is hurt.
  metrics.record_delivery_error(url);
  if (metrics.flush(100ms)) return 5;
  return agent.has_all() ? asio_work() : 6;
}

int main() { return run_service(); }
