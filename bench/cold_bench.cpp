// What a call costs a thread that has done something else since the last one: between two calls the caches are walked
// out of, level 1 by 64 KiB and level 2 by 4 MiB. Each call is timed alone. The caller knows where its URL lies; the
// characters are as cold as the client, unless it is "url just used", as by an HTTP client that has just sent it. A
// copy was made for its call alone.

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>

#include "batches.hpp"
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

/// A workload with copies of its URLs.
class CopiedWorkload {
 public:
  explicit CopiedWorkload(const bench::Workload& workload) : size_{workload.size()}, batches_{workload, true} {}
  std::int64_t size() const { return size_; }
  template <class Call>
  void deliver(std::int64_t count, int, Call call) {
    while (count > 0) {
      const std::span<const bench::Sent> batch = batches_.next(count);
      for (const bench::Sent& each : batch) call(each.url, each.duration);
      count -= std::ssize(batch);
    }
  }

 private:
  std::int64_t size_;
  bench::Batches batches_;
};

/// Times `call(url, duration)` alone, `state.max_iterations` times, after a first round and `settle()`.
template <class Deliveries, class Call, class Settle>
void time_cold_calls(benchmark::State& state, Deliveries& workload, std::size_t walked, bool url_used, Call call,
                     Settle settle) {
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
  std::shared_ptr<const bench::Workload> workload;
  bool url_used = false;
  std::string urls{};  ///< what they are, unless in place and one for each endpoint
  bool copied = false;
  std::size_t walked = 0;
  std::int64_t calls = 0;
  std::string name(const std::string& backend) const {
    return "cold/" + std::to_string(walked / 1024) + " KiB/" + backend +
           "/endpoints:" + std::to_string(workload->endpoints()) + urls + (url_used ? "/url just used" : "");
  }
};

template <class Call, class Settle>
void time_cold_calls(benchmark::State& state, const Case& each, Call call, Settle settle) {
  if (!each.copied) return time_cold_calls(state, *each.workload, each.walked, each.url_used, call, settle);
  CopiedWorkload copied{*each.workload};
  time_cold_calls(state, copied, each.walked, each.url_used, call, settle);
}

void add_backend(const Case& each, const bench::Backend& backend) {
  bench::add(each.name(backend.name), [=](benchmark::State& state) {
    const std::unique_ptr<EventMetrics> metrics = backend.make();
    const auto success = [&](std::string_view url, std::chrono::nanoseconds duration) {
      metrics->record_delivery_success(url, duration);
    };
    // The first round was faster than any service: what it left is not for the timed calls to wait for.
    time_cold_calls(state, each, success, [&] { bench::flush(*metrics, std::chrono::milliseconds{50}); });
  })->Iterations(each.calls);
}

void add_empty_timing(const Case& each) {
  bench::add(each.name("empty timing"), [=](benchmark::State& state) {
    time_cold_calls(
        state, each, [](std::string_view, std::chrono::nanoseconds) {}, [] {});
  })->Iterations(each.calls);
}

/// With either level of the caches walked out of.
void add_case(Case each, std::initializer_list<const char*> backends) {
  for (const auto& [walked, calls] : {std::pair{64U << 10U, 50'000}, std::pair{4U << 20U, 5'000}}) {
    each.walked = walked;
    each.calls = calls;
    add_empty_timing(each);
    for (const char* name : backends) {
      if (bench::has_backend(name)) add_backend(each, bench::backend_for(name, each.workload->endpoints()));
    }
  }
}

}  // namespace

void bench::register_benchmarks() {
  for (const std::size_t endpoints : {1U, 16U, 256U}) {
    const auto workload = std::make_shared<const Workload>(endpoints);
    for (const bool url_used : {false, true}) {
      add_case({.workload = workload, .url_used = url_used},
               {"none", "statsd", "prometheus-cpp", "prometheus-cpp by host"});
    }
  }
  const auto without_labels = {"none", "statsd", "prometheus-cpp"};
  for (const std::size_t endpoints : {16U, 256U}) {
    const auto one_path = std::make_shared<const Workload>(endpoints);
    add_case({.workload = one_path, .url_used = true, .urls = "/copied", .copied = true}, without_labels);
    const auto many_paths = std::make_shared<const Workload>(endpoints, shapes.back());
    for (const bool url_used : {false, true}) {
      add_case({.workload = many_paths, .url_used = url_used, .urls = "/many paths"}, without_labels);
    }
  }
}
