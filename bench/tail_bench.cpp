// How long the slowest calls take. Each call is timed alone, and those of all threads go into one distribution. With
// eight threads on fewer cores a thread that is stopped while it holds a lock holds up all others: only this tells what
// never waits from what is usually fast. The calls that the scheduler itself stops are in the tail of "none" too.

#include <algorithm>
#include <bit>
#include <latch>
#include <optional>
#include <thread>

#include "workload.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

/// Exact to the nanosecond below 1024 ns, to 1/128 above.
class Histogram {
 public:
  void add(std::uint64_t ns) {
    ++counts_[index(ns)];
    ++calls_;
    over_100_us_ += ns > 100'000;
    max_ = std::max(max_, ns);
  }
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    calls_ += other.calls_;
    over_100_us_ += other.over_100_us_;
    max_ = std::max(max_, other.max_);
  }

  /// The least duration that `quantile` of the calls did not exceed.
  double at(double quantile) const {
    const auto rank = static_cast<std::uint64_t>(quantile * static_cast<double>(calls_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank) return static_cast<double>(std::min(upper_end(i), max_));
    }
    return static_cast<double>(max_);
  }

  void report(benchmark::State& state) const {
    state.counters["p50"] = at(0.5);
    state.counters["p90"] = at(0.9);
    state.counters["p99"] = at(0.99);
    state.counters["p99_9"] = at(0.999);
    state.counters["p99_99"] = at(0.9999);
    state.counters["p99_999"] = at(0.99999);
    state.counters["max"] = static_cast<double>(max_);
    state.counters["over_100us"] = static_cast<double>(over_100_us_);
    state.counters["calls"] = static_cast<double>(calls_);
  }

 private:
  static constexpr std::size_t steps = 128;   // in each octave
  static constexpr std::size_t exact = 1024;  // the first ten octaves
  static constexpr std::size_t octaves = 40;  // eighteen minutes

  static std::size_t index(std::uint64_t ns) {
    if (ns < exact) return static_cast<std::size_t>(ns);
    const auto octave = static_cast<std::size_t>(std::bit_width(ns)) - 1;
    const std::size_t step = static_cast<std::size_t>(ns >> (octave - 7)) - steps;
    return std::min(exact + (octave - 10) * steps + step, exact + (octaves - 10) * steps - 1);
  }
  static std::uint64_t upper_end(std::size_t index) {
    if (index < exact) return index;
    const std::size_t octave = 10 + (index - exact) / steps;
    const std::uint64_t step = (index - exact) % steps;
    return ((steps + step + 1) << (octave - 7)) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(exact + (octaves - 10) * steps);
  std::uint64_t calls_ = 0;
  std::uint64_t over_100_us_ = 0;
  std::uint64_t max_ = 0;
};

struct Run {
  bench::Backend backend;
  int threads = 8;
  std::int64_t calls = 1'000'000;  // of each thread
  bool flushing = false;
};

Histogram deliver(EventMetrics& metrics, const bench::Workload& workload, int thread, std::int64_t calls,
                  std::latch& all_are_warm) {
  const bench::Pinned pinned{thread};
  const double ns_per_tick = bench::nanoseconds_per_tick();
  Histogram histogram;
  const auto timed = [&](const std::string& url, std::chrono::nanoseconds duration) {
    const std::uint64_t start = bench::ticks();
    metrics.record_delivery_success(url, duration);
    const std::uint64_t elapsed = bench::ticks() - start;
    histogram.add(static_cast<std::uint64_t>(static_cast<double>(elapsed) * ns_per_tick + 0.5));
  };
  workload.deliver(workload.size(), thread, timed);
  histogram = {};
  all_are_warm.arrive_and_wait();
  workload.deliver(calls, thread, timed);
  return histogram;
}

/// Flushes again and again while it lives, with a pause in which those with little to flush do not take a whole core.
class Flusher {
 public:
  explicit Flusher(EventMetrics& metrics)
      : thread_{[&metrics, this] {
          while (!stopped_) {
            bench::flush(metrics, 100ms);
            std::this_thread::sleep_for(1ms);
          }
        }} {}
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;
  ~Flusher() {
    stopped_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

void tail(benchmark::State& state, const bench::Workload& workload, const Run& run) {
  bench::nanoseconds_per_tick();
  for (auto _ : state) {
    const std::chrono::nanoseconds start = bench::now(bench::Clock::wall);
    const std::unique_ptr<EventMetrics> metrics = run.backend.make();
    std::optional<Flusher> flusher;
    if (run.flushing) flusher.emplace(*metrics);
    std::latch all_are_warm{run.threads};
    std::vector<Histogram> histograms(static_cast<std::size_t>(run.threads));
    std::vector<std::thread> threads;
    for (int i = 0; i < run.threads; ++i) {
      threads.emplace_back([&, i] {
        histograms[static_cast<std::size_t>(i)] = deliver(*metrics, workload, i, run.calls, all_are_warm);
      });
    }
    for (std::thread& thread : threads) thread.join();
    flusher.reset();
    Histogram all;
    for (const Histogram& each : histograms) all.add(each);
    all.report(state);
    state.SetIterationTime(std::chrono::duration<double>{bench::now(bench::Clock::wall) - start}.count());
  }
}

void add_run(const std::string& condition, const Run& run) {
  static const auto workload = std::make_shared<const bench::Workload>(16U);
  bench::add("tail/" + condition + '/' + run.backend.name, [run](benchmark::State& state) {
    tail(state, *workload, run);
  })->Iterations(1);
}

/// Flushes every 10 ms, so that calls meet a flush a hundred times as often as by default.
bench::Backend often_flushing(const std::string& address) {
  return {"statsd", [address] {
            statsd::Options options = bench::statsd_options();
            options.address = address;
            options.flush_interval = 10ms;
            return bench::make_statsd(options);
          }};
}

}  // namespace

void bench::register_benchmarks() {
  const auto add_to_all = [](const std::string& condition, Run run, const Backend& statsd_backend) {
    for (const char* name : {"none", "statsd", "prometheus-cpp"}) {
      if (!has_backend(name)) continue;
      run.backend = std::string_view{name} == "statsd" ? statsd_backend : backend(name);
      add_run(condition, run);
    }
  };
  add_to_all("idle", {.backend = {}, .threads = 1}, backend("statsd"));
  add_to_all("flushing", {.backend = {}, .flushing = true}, often_flushing(statsd_options().address));
  static const RefusingAgent refusing;
  add_run("agent refuses", {backend("none")});
  add_run("agent refuses", {often_flushing(refusing.address())});

  const std::string_view slow[] = {"prometheus-cpp by host", "opentelemetry-cpp by host", "cpp-statsd-client",
                                   "spectator-cpp"};
  for (const Backend& each : backends()) {
    const bool is_slow = std::find(std::begin(slow), std::end(slow), each.name) != std::end(slow);
    add_run("contended", {.backend = each, .calls = is_slow ? 100'000 : 1'000'000});
  }
}
