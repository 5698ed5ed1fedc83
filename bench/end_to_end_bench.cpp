// What delivering at a steady rate costs the whole process: recording, flushing and sending, on whatever thread. "none"
// at the same rate is what the pacing itself costs. Time is CPU time of one million deliveries.

#include <time.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "peers/peers.hpp"
#include "traffic.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

constexpr std::chrono::seconds measured{5};  // so that five flushes fall into it
constexpr std::chrono::milliseconds step{10};

// Of all threads, in nanoseconds; getrusage() may count in ticks.
std::chrono::nanoseconds process_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

struct Load {
  std::int64_t per_second;
  int threads;
};

struct Traffic {
  std::vector<std::string> urls = bench::urls(16);
  std::vector<bench::Delivery> deliveries = bench::many_deliveries(16);
};

/// Each thread delivers its part of a step, sleeps until the next is due, and makes good what it is late.
void deliver(EventMetrics& metrics, const Load& load, const Traffic& traffic) {
  const std::int64_t steps = measured / step;
  const auto part = static_cast<std::size_t>(load.per_second * step / 1s / load.threads);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < load.threads; ++thread) {
    threads.emplace_back([=, &metrics, &traffic] {
      const std::vector<bench::Delivery>& deliveries = traffic.deliveries;
      std::size_t next = deliveries.size() / static_cast<std::size_t>(load.threads) * static_cast<std::size_t>(thread);
      for (std::int64_t i = 0; i < steps; ++i) {
        for (std::size_t j = 0; j < part; ++j) {
          const bench::Delivery& delivery = deliveries[next];
          metrics.record_delivery_success(traffic.urls[delivery.endpoint], delivery.duration());
          if (++next == deliveries.size()) next = 0;
        }
        std::this_thread::sleep_until(start + (i + 1) * step);
      }
    });
  }
}

void run(benchmark::State& state, const bench::Backend& backend, const Load& load) {
  static const Traffic traffic;
  for (auto _ : state) {
    const std::unique_ptr<EventMetrics> metrics = backend.make();
    const auto* statsd_metrics = dynamic_cast<const StatsdEventMetrics*>(metrics.get());
    const statsd::Stats before = statsd_metrics != nullptr ? statsd_metrics->stats() : statsd::Stats{};
    const auto start = std::chrono::steady_clock::now();
    const std::chrono::nanoseconds cpu_before = process_cpu();
    deliver(*metrics, load, traffic);
    const std::chrono::duration<double> cpu = process_cpu() - cpu_before;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

    const double count = static_cast<double>(load.per_second) * std::chrono::duration<double>{measured}.count();
    state.SetIterationTime(cpu.count() / count * 1e6);
    state.counters["percent_of_a_core"] = 100 * cpu / elapsed;
    state.counters["deliveries_per_second"] = count / elapsed.count();  // less than asked for: it cannot keep up
    if (statsd_metrics == nullptr) continue;
    const statsd::Stats after = statsd_metrics->stats();
    state.counters["datagrams_per_second"] =
        static_cast<double>(after.datagrams_accepted - before.datagrams_accepted) / elapsed.count();
    state.counters["bytes_per_second"] =
        static_cast<double>(after.bytes_accepted - before.bytes_accepted) / elapsed.count();
  }
}

void add_load(const bench::Backend& backend, const Load& load) {
  bench::add("deliveries/" + backend.name + "/per_second:" + std::to_string(load.per_second) +
                 "/pacers:" + std::to_string(load.threads),
             [=](benchmark::State& state) { run(state, backend, load); })
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

void bench::register_benchmarks() {
  static const Receiver receiver;
  const Backend statsd_client{
      "statsd", [] { return make_statsd({.agent = statsd::Agent::datadog, .address = receiver.address()}); }};
  for (const int threads : {1, 4}) {
    add_load(backend("none"), {1'000'000, threads});
    add_load(statsd_client, {1'000'000, threads});
    if (has_backend("prometheus-cpp")) add_load(backend("prometheus-cpp"), {1'000'000, threads});
  }
#ifdef EVENT_METRICS_BENCH_CPP_STATSD_CLIENT
  // A million a second is more than it can send.
  const Backend cpp_statsd_client{"cpp-statsd-client", [] { return make_cpp_statsd_client_to(receiver.port()); }};
  for (const Backend& each : {backend("none"), statsd_client, cpp_statsd_client}) add_load(each, {100'000, 1});
#endif
}
