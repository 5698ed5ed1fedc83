// What a call costs the thread that delivers. The first row is the floor: an empty call through EventMetrics&.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "event_metrics/noop_event_metrics.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

// Bound and never read: datagrams are accepted until its buffer is full and dropped by the kernel from then on.
class SilentAgent {
 public:
  SilentAgent() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets API's own idiom
    if (::bind(socket_, raw, size) != 0 || ::getsockname(socket_, raw, &size) != 0) {
      throw std::runtime_error{"no socket on 127.0.0.1"};
    }
    port_ = ntohs(address.sin_port);
  }
  SilentAgent(const SilentAgent&) = delete;
  SilentAgent& operator=(const SilentAgent&) = delete;
  ~SilentAgent() { ::close(socket_); }

  std::string address() const { return "udp://127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

std::unique_ptr<EventMetrics> make_noop() { return std::make_unique<NoOpEventMetrics>(); }
std::unique_ptr<EventMetrics> make_statsd() {
  static const SilentAgent agent;
  return std::make_unique<StatsdEventMetrics>(
      statsd::Options{.agent = statsd::Agent::datadog, .address = agent.address()});
}

// Volatile: the compiler may not learn which class stands behind the interface, as it does not in a service.
using Factory = std::unique_ptr<EventMetrics> (*)();
Factory volatile noop = make_noop;
Factory volatile statsd_client = make_statsd;

std::vector<std::string> urls(std::int64_t count) {
  std::vector<std::string> result;
  for (std::int64_t i = 0; i < count; ++i) {
    result.push_back("https://hooks-" + std::to_string(i) + ".example.com/services/T0/B0");
  }
  return result;
}

void success(benchmark::State& state, EventMetrics& metrics) {
  const std::vector<std::string> endpoints = urls(state.range(0));
  std::size_t next = 0;
  for (auto _ : state) {
    metrics.record_delivery_success(endpoints[next], 12ms);
    if (++next == endpoints.size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_EmptyVirtualCall(benchmark::State& state) { success(state, *noop()); }
BENCHMARK(BM_EmptyVirtualCall)->ArgName("endpoints")->Arg(1)->Arg(16);

void BM_Statsd_Success(benchmark::State& state) { success(state, *statsd_client()); }
BENCHMARK(BM_Statsd_Success)->ArgName("endpoints")->Arg(1)->Arg(16);

void BM_Statsd_Failure(benchmark::State& state) {
  const std::unique_ptr<EventMetrics> metrics = statsd_client();
  const std::string url = urls(1).front();
  for (auto _ : state) metrics->record_delivery_failure(url, 503);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Statsd_Failure);

void BM_Statsd_ActiveTask(benchmark::State& state) {
  const std::unique_ptr<EventMetrics> metrics = statsd_client();
  for (auto _ : state) const ActiveTask task{*metrics};
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Statsd_ActiveTask);

}  // namespace

BENCHMARK_MAIN();
