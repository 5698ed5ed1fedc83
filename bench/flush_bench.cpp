// What sending costs. "turn": the CPU time of the thread that flushes, by how many series exist and how many of them
// changed (one cell each, by each recording thread), beside a turn in which nothing had changed. "wire": what
// deliveries to 16 endpoints become on their way to each agent, when as many are made in one flush interval.

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

// As the client paces what it sends.
constexpr std::chrono::milliseconds pause_between_bursts{10};
constexpr int burst_datagrams = 16;

/// A client whose flushing is done by the calling thread, with a number of series that all have been sent before.
class Flushed {
 public:
  Flushed(const std::string& address, std::size_t series, std::chrono::milliseconds interval, int recorders)
      : urls_{bench::urls(series)},
        recorders_{recorders},
        metrics_{{.agent = statsd::Agent::datadog,
                  .address = address,
                  .flush_interval = interval,
                  .close_timeout = 0ms,
                  .max_memory_bytes = 1U << 30U,
                  .own_thread = false,
                  .on_error = [](std::string_view) {}},
                 {.max_endpoints = series}},
        due_{metrics_.poll()} {
    // A client makes memory ready for new cells when it flushes; until a call finds some it counts coarsely.
    std::uint64_t coarse = 0;
    do {
      coarse = metrics_.stats().coarse;
      record(series);
      flush();
    } while (metrics_.stats().coarse > coarse);
  }

  struct Cost {
    Nanoseconds cpu{0};
    double bursts = 0;
    double datagrams = 0;
  };

  /// The first `changed` series, by all recording threads at once: they live together, so each has cells of its own.
  void record(std::size_t changed) {
    const auto call = [&] {
      for (std::size_t i = 0; i < changed; ++i) metrics_.record_delivery_success(urls_[i], 120ms);
    };
    if (recorders_ == 1) return call();
    std::barrier together{recorders_};
    std::vector<std::jthread> threads;
    for (int i = 0; i < recorders_; ++i) {
      threads.emplace_back([&] {
        call();
        together.arrive_and_wait();
      });
    }
  }

  /// The next turn, and the bursts after it until nothing is owed.
  Cost flush() {
    Cost cost;
    const statsd::Stats before = metrics_.stats();
    statsd::Stats after;
    do {
      std::this_thread::sleep_until(due_);
      const std::chrono::nanoseconds start = bench::now(bench::Clock::cpu);
      due_ = metrics_.poll();
      cost.cpu += bench::now(bench::Clock::cpu) - start;
      ++cost.bursts;
      after = metrics_.stats();
    } while (after.owed + after.timings_owed > 0);
    cost.datagrams = static_cast<double>(after.datagrams_accepted - before.datagrams_accepted);
    return cost;
  }

 private:
  std::vector<std::string> urls_;
  int recorders_;
  StatsdEventMetrics metrics_;
  std::chrono::steady_clock::time_point due_;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Case {
  std::size_t series;
  std::size_t changed;
  int recorders;
};

void turn(benchmark::State& state, const std::string& address, const Case& of) {
  // Long enough for the bursts of all that changed: no second turn then falls between them.
  const auto interval = std::max(100ms, pause_between_bursts * static_cast<int>(of.changed / 80));
  Flushed flushed{address, of.series, interval, of.recorders};
  std::vector<double> quiet;
  std::vector<double> changed;
  Flushed::Cost cost;
  for (auto _ : state) {
    quiet.push_back(flushed.flush().cpu.count());
    flushed.record(of.changed);
    cost = flushed.flush();
    changed.push_back(cost.cpu.count());
    state.SetIterationTime(cost.cpu.count() / 1e9);
  }
  state.counters["turn_ns"] = median(changed);
  state.counters["quiet_turn_ns"] = median(quiet);
  state.counters["bursts"] = cost.bursts;
  state.counters["datagrams"] = cost.datagrams;
  state.counters["ns_per_idle_series"] = median(quiet) / static_cast<double>(of.series);
  if (of.changed == 0) return;
  state.counters["ns_per_changed_series"] = (median(changed) - median(quiet)) / static_cast<double>(of.changed);
}

/// What the kernel takes for datagrams like these, sent in bursts like these: the floor of "turn".
void bare_send(benchmark::State& state, std::uint16_t port) {
  const bench::Sender sender{port};
  const std::string datagram(1400, 'x');
  std::vector<double> bursts;
  for (auto _ : state) {
    std::this_thread::sleep_for(pause_between_bursts);
    const std::chrono::nanoseconds start = bench::now(bench::Clock::cpu);
    for (int i = 0; i < burst_datagrams; ++i) sender.send(datagram);
    bursts.push_back(Nanoseconds{bench::now(bench::Clock::cpu) - start}.count());
    state.SetIterationTime(bursts.back() / 1e9);
  }
  state.counters["ns_per_datagram"] = median(bursts) / burst_datagrams;
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

/// How long a caller waits in flush(), on a client that has little to send and whose turns are a second apart.
void wait(benchmark::State& state, const std::string& address) {
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = address, .on_error = [](std::string_view) {}}};
  for (auto _ : state) {
    metrics.record_delivery_success("https://hooks.example.com/T0", 120ms);
    (void)metrics.flush(0ms);  // as a turn just before: what it has sent has not settled
    metrics.record_delivery_success("https://hooks.example.com/T0", 120ms);
    const auto start = std::chrono::steady_clock::now();
    if (!metrics.flush(10s)) state.SkipWithError("not everything was accepted");
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}

void add_turn(const std::string& address, const Case& of) {
  bench::add("turn/series:" + std::to_string(of.series) + "/changed:" + std::to_string(of.changed) +
                 "/recorders:" + std::to_string(of.recorders),
             [=](benchmark::State& state) { turn(state, address, of); })
      ->Iterations(of.changed < 10'000 ? 5 : 3);
}

void add_wire(const std::string& address, statsd::Agent agent, std::size_t count) {
  bench::add("wire/" + std::string{statsd::to_string(agent)} + "/deliveries:" + std::to_string(count),
             [=](benchmark::State& state) { wire(state, address, agent, count); })
      ->Iterations(1)
      ->Repetitions(1);
}

}  // namespace

void bench::register_benchmarks() {
  static const Receiver receiver;
  add("wait", [](benchmark::State& state) { wait(state, receiver.address()); })->Iterations(100);
  add("bare send", [](benchmark::State& state) { bare_send(state, receiver.port()); })->Iterations(20);
  for (const std::size_t series : {100U, 1000U, 10'000U}) {
    for (const std::size_t changed : {0U, 10U, 100U}) add_turn(receiver.address(), {series, changed, 1});
    if (series > 100) add_turn(receiver.address(), {series, series, 1});
  }
  for (const std::size_t changed : {0U, 1000U}) add_turn(receiver.address(), {1000, changed, 8});
  for (auto agent = statsd::Agent::datadog; statsd::to_string(agent) != "unknown";
       agent = static_cast<statsd::Agent>(static_cast<int>(agent) + 1)) {
    for (const std::size_t count : {10'000U, 1'000'000U}) add_wire(receiver.address(), agent, count);
  }
}
