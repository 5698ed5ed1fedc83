// What a call costs a thread that has done something else since the last one: between two calls the caches are walked
// out of, level 1 by 64 KiB and level 2 by 4 MiB. Each call is timed alone. The caller knows where its URL lies; the
// characters are as cold as the client, unless it is "url just used", as by an HTTP client that has just sent it.

#include <algorithm>
#include <string_view>

#include "workload.hpp"

namespace {

using namespace event_metrics;

constexpr std::size_t line_bytes = 64;

/// Memory of which every line is read and written in passing.
class Walk {
 public:
  explicit Walk(std::size_t bytes) : memory_(bytes) {}
  void operator()() {
    for (std::size_t i = 0; i < memory_.size(); i += line_bytes) ++memory_[i];
    benchmark::ClobberMemory();
  }

 private:
  std::vector<unsigned char> memory_;
};

void read(std::string_view url) {
  for (const char byte : url) benchmark::DoNotOptimize(byte);
}

void report(benchmark::State& state, std::vector<std::uint64_t> samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](std::size_t percent) {
    return bench::nanoseconds_per_tick() * static_cast<double>(samples[samples.size() * percent / 100]);
  };
  state.counters["p50"] = at(50);
  state.counters["p90"] = at(90);
  state.counters["p99"] = at(99);
}

/// Times `call(url, duration)` alone, `state.max_iterations` times, after a first round and `settle()`.
template <class Call, class Settle>
void time_cold_calls(benchmark::State& state, const bench::Workload& workload, std::size_t walked, bool url_used,
                     Call call, Settle settle) {
  const bench::Pinned pinned{0};
  workload.deliver(workload.size(), 0, call);
  settle();
  Walk walk{walked};
  std::vector<std::uint64_t> samples;
  samples.reserve(static_cast<std::size_t>(state.max_iterations));
  bench::measure(state, bench::Clock::wall, [&](std::int64_t count) {
    workload.deliver(count, 0, [&](std::string_view url, std::chrono::nanoseconds duration) {
      walk();
      if (url_used) read(url);
      const std::uint64_t start = bench::ticks();
      call(url, duration);
      samples.push_back(bench::ticks() - start);
    });
  });
  report(state, std::move(samples));
}

struct Case {
  std::size_t walked;
  std::int64_t calls;
  std::shared_ptr<const bench::Workload> workload;
  bool url_used;
  std::string name(const std::string& backend) const {
    return "cold/" + std::to_string(walked / 1024) + " KiB/" + backend +
           "/endpoints:" + std::to_string(workload->endpoints()) + (url_used ? "/url just used" : "");
  }
};

void add_backend(const Case& each, const bench::Backend& backend) {
  bench::add(each.name(backend.name), [=](benchmark::State& state) {
    const std::unique_ptr<EventMetrics> metrics = backend.make();
    const auto success = [&](std::string_view url, std::chrono::nanoseconds duration) {
      metrics->record_delivery_success(url, duration);
    };
    // The first round was faster than any service: what it left is not for the timed calls to wait for.
    time_cold_calls(state, *each.workload, each.walked, each.url_used, success,
                    [&] { bench::flush(*metrics, std::chrono::milliseconds{50}); });
  })->Iterations(each.calls);
}

void add_empty_timing(const Case& each) {
  bench::add(each.name("empty timing"), [=](benchmark::State& state) {
    time_cold_calls(
        state, *each.workload, each.walked, each.url_used, [](std::string_view, std::chrono::nanoseconds) {}, [] {});
  })->Iterations(each.calls);
}

}  // namespace

void bench::register_benchmarks() {
  for (const std::size_t endpoints : {1U, 16U, 256U}) {
    const auto workload = std::make_shared<const Workload>(endpoints);
    for (const bool url_used : {false, true}) {
      for (const auto& [walked, calls] : {std::pair{64U << 10U, 50'000}, std::pair{4U << 20U, 5'000}}) {
        const Case each{walked, calls, workload, url_used};
        add_empty_timing(each);
        add_backend(each, backend("none"));
        add_backend(each, backend_for("statsd", endpoints));
        for (const char* name : {"prometheus-cpp", "prometheus-cpp by host"}) {
          if (has_backend(name)) add_backend(each, backend(name));
        }
      }
    }
  }
}
