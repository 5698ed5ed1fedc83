// What sending costs. "turn": the CPU time of the thread that flushes, by how many series exist and how many of them
// changed (one cell each). "wire": what a million deliveries become on their way to each agent, all made in one flush
// interval.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "traffic.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

using Nanoseconds = std::chrono::duration<double, std::nano>;

/// A client whose turns are made by the calling thread, with a number of series that all have been sent before.
class Flushed {
 public:
  Flushed(const std::string& address, std::size_t series, int threads)
      : urls_{bench::urls(series)},
        threads_{threads},
        metrics_{{.agent = statsd::Agent::datadog,
                  .address = address,
                  // Of the pause between two bursts: so each call of poll() is a turn, and none waits in vain.
                  .flush_interval = 10ms,
                  .close_timeout = 0ms,
                  .own_thread = false},
                 {.max_endpoints = series}} {
    for (int i = 0; i < 2; ++i) {  // the second turn finds everything as all later ones do
      record(series);
      flush();
    }
  }

  struct Cost {
    Nanoseconds cpu{0};
    int turns = 0;
    std::uint64_t datagrams = 0;
  };

  /// The first `changed` series, by all threads at once: they live together, so each has cells of its own.
  void record(std::size_t changed) {
    const auto call = [&] {
      for (std::size_t i = 0; i < changed; ++i) metrics_.record_delivery_success(urls_[i], 120ms);
    };
    if (threads_ == 1) return call();
    std::barrier together{threads_};
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_; ++i) {
      threads.emplace_back([&] {
        call();
        together.arrive_and_wait();
      });
    }
  }

  /// As many turns as it takes until nothing is owed, at least one; one more has the last datagrams confirmed.
  Cost flush() {
    Cost cost;
    const std::uint64_t before = metrics_.stats().datagrams_accepted;
    statsd::Stats stats;
    do {
      turn(cost);
      stats = metrics_.stats();
    } while (stats.owed + stats.timings_owed > 0);
    cost.datagrams = stats.datagrams_accepted - before;
    return cost;
  }

  void turn(Cost& cost) {
    std::this_thread::sleep_until(due_);
    const std::chrono::nanoseconds start = bench::now(bench::Clock::cpu);
    due_ = metrics_.poll();
    cost.cpu += bench::now(bench::Clock::cpu) - start;
    ++cost.turns;
  }

 private:
  std::vector<std::string> urls_;
  int threads_;
  StatsdEventMetrics metrics_;
  std::chrono::steady_clock::time_point due_;
};

void turn(benchmark::State& state, Flushed& flushed, std::size_t series, std::size_t changed) {
  Nanoseconds quiet{0};
  Flushed::Cost sum;
  for (auto _ : state) {
    Flushed::Cost idle;
    flushed.turn(idle);
    quiet += idle.cpu;

    flushed.record(changed);
    Flushed::Cost cost = flushed.flush();
    if (changed > 0) flushed.turn(cost);
    sum.cpu += cost.cpu;
    sum.turns += cost.turns;
    sum.datagrams += cost.datagrams;
    state.SetIterationTime(cost.cpu.count() / 1e9);
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["quiet_turn_ns"] = quiet.count() / rounds;
  state.counters["turns"] = sum.turns / rounds;
  state.counters["datagrams"] = static_cast<double>(sum.datagrams) / rounds;
  state.counters["ns_per_idle_series"] = quiet.count() / rounds / static_cast<double>(series);
  if (changed == 0) return;
  const double work = sum.cpu.count() - sum.turns * quiet.count() / rounds;
  state.counters["ns_per_changed_series"] = work / rounds / static_cast<double>(changed);
}

void wire(benchmark::State& state, const std::string& address, statsd::Agent agent, std::size_t count) {
  static const std::vector<std::string> urls = bench::urls(16);
  static const std::vector<bench::Delivery> deliveries = bench::many_deliveries(16);
  for (auto _ : state) {
    StatsdEventMetrics metrics{{.agent = agent, .address = address, .close_timeout = 0ms, .own_thread = false}};
    for (const std::string& url : urls) metrics.record_delivery_success(url, 120ms);
    metrics.flush(1s);
    const statsd::Stats before = metrics.stats();
    for (std::size_t i = 0; i < count; ++i) {
      metrics.record_delivery_success(urls[deliveries[i].endpoint], deliveries[i].duration());
    }
    const std::chrono::nanoseconds start = bench::now(bench::Clock::cpu);
    if (!metrics.flush(60s)) state.SkipWithError("not everything was accepted");
    state.SetIterationTime(Nanoseconds{bench::now(bench::Clock::cpu) - start}.count() / 1e9);
    const statsd::Stats after = metrics.stats();
    const double million = static_cast<double>(count) / 1e6;
    state.counters["datagrams_per_million"] =
        static_cast<double>(after.datagrams_accepted - before.datagrams_accepted) / million;
    state.counters["bytes_per_million"] = static_cast<double>(after.bytes_accepted - before.bytes_accepted) / million;
    state.counters["left_out_per_million"] = static_cast<double>(after.left_out) / million;
  }
}

void add_turns(const std::string& address, std::size_t series, int threads, const std::vector<std::size_t>& changes) {
  const auto client = std::make_shared<std::unique_ptr<Flushed>>();  // of all that differ only in what changes
  for (const std::size_t changed : changes) {
    const auto run = [=](benchmark::State& state) {
      if (!*client) *client = std::make_unique<Flushed>(address, series, threads);
      turn(state, **client, series, changed);
    };
    bench::add("turn/series:" + std::to_string(series) + "/changed:" + std::to_string(changed) +
                   "/recorders:" + std::to_string(threads),
               run)
        ->Iterations(std::clamp<std::int64_t>(2000 / static_cast<std::int64_t>(changed + 1), 1, 20));
  }
}

}  // namespace

void bench::register_benchmarks() {
  static const Receiver receiver;
  add_turns(receiver.address(), 100, 1, {0, 10, 100});
  add_turns(receiver.address(), 1000, 1, {0, 10, 100, 1000});
  add_turns(receiver.address(), 10'000, 1, {0, 10, 100, 10'000});
  add_turns(receiver.address(), 1000, 8, {0, 1000});
  for (auto agent = statsd::Agent::datadog; statsd::to_string(agent) != "unknown";
       agent = static_cast<statsd::Agent>(static_cast<int>(agent) + 1)) {
    for (const std::size_t count : {10'000U, 1'000'000U}) {
      add("wire/" + std::string{statsd::to_string(agent)} + "/deliveries:" + std::to_string(count),
          [=](benchmark::State& state) { wire(state, receiver.address(), agent, count); })
          ->Iterations(1)
          ->Repetitions(1);
    }
  }
}
