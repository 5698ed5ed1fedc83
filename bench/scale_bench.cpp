// Whether a call costs the same, and memory stays in bounds, however many threads and endpoints there are. All times
// are CPU times of the calling threads, so that the rows with more threads than cores compare with the others.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <latch>
#include <thread>

#include "traffic.hpp"
#include "workload.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using bench::Workload;

void record(benchmark::State& state, bench::SharedClient& client, const Workload& workload) {
  EventMetrics& metrics = client.join(state);
  const int thread = state.thread_index();
  {
    const bench::Pinned pinned{thread};
    const auto call = [&](const std::string& url, std::chrono::nanoseconds duration) {
      metrics.record_delivery_success(url, duration);
    };
    client.warm_up(state, workload.endpoints(), [&] { workload.deliver(workload.size(), thread, call); });
    bench::measure(state, bench::Clock::cpu, [&](std::int64_t count) { workload.deliver(count, thread, call); });
  }
  client.leave(state);
}

benchmark::internal::Benchmark* add_record(const std::string& question, const bench::Backend& backend,
                                           std::size_t endpoints) {
  const auto client = std::make_shared<bench::SharedClient>(backend);
  const auto workload = std::make_shared<const Workload>(endpoints);
  return bench::add(question + '/' + backend.name + "/endpoints:" + std::to_string(endpoints),
                    [client, workload](benchmark::State& state) { record(state, *client, *workload); });
}

double resident_kib() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}

constexpr int memory_threads = 64;
constexpr std::int64_t memory_calls = 10'000'000;

/// A client makes memory ready for new cells when it flushes; a call that finds none counts coarsely and takes none. So
/// the calls are spread over a hundred flushes, as a service's are over seconds.
void deliver_in_slices(EventMetrics& metrics, const Workload& workload, int thread) {
  constexpr int slices = 100;
  for (int slice = 0; slice < slices; ++slice) {
    workload.deliver(memory_calls / memory_threads / slices, thread * slices + slice,
                     [&](const std::string& url, std::chrono::nanoseconds duration) {
                       metrics.record_delivery_success(url, duration);
                     });
    std::this_thread::sleep_for(10ms);
  }
}

void memory(benchmark::State& state, const bench::Backend& backend, const Workload& workload) {
  for (auto _ : state) {
    ::malloc_trim(0);
    std::unique_ptr<EventMetrics> metrics;
    std::latch started{memory_threads + 1};
    std::latch recorded{memory_threads + 1};
    std::latch measured{1};
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < memory_threads; ++i) {
      threads.emplace_back([&, i] {
        started.arrive_and_wait();
        go.wait(false);
        deliver_in_slices(*metrics, workload, i);
        recorded.arrive_and_wait();
        measured.wait();
      });
    }
    started.arrive_and_wait();
    const double before = resident_kib();
    metrics = backend.make();
    go = true;
    go.notify_all();
    recorded.arrive_and_wait();
    bench::flush(*metrics, 1s);
    state.counters["rss_growth_kib"] = resident_kib() - before;
    if (const auto* statsd_metrics = dynamic_cast<StatsdEventMetrics*>(metrics.get())) {
      state.counters["client_kib"] = static_cast<double>(statsd_metrics->stats().memory_bytes) / 1024;
      state.counters["coarse"] = static_cast<double>(statsd_metrics->stats().coarse);
    }
    measured.count_down();
    for (std::thread& thread : threads) thread.join();
    state.SetIterationTime(1);
  }
}

/// The time in which a client is made, its thread included, and what it takes before anything is recorded.
void begin(benchmark::State& state, const bench::Backend& backend) {
  for (auto _ : state) {
    const double before = resident_kib();
    const auto start = std::chrono::steady_clock::now();
    const std::unique_ptr<EventMetrics> metrics = backend.make();
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    state.counters["rss_growth_kib"] = resident_kib() - before;
  }
}

bench::Backend often_flushing() {
  return {"statsd", [] {
            statsd::Options options = bench::statsd_options();
            options.flush_interval = 10ms;
            return bench::make_statsd(options);
          }};
}

}  // namespace

void bench::register_benchmarks() {
  for (const char* name : {"none", "statsd"}) {
    auto* by_threads = add_record("threads", backend(name), 16);
    for (const int threads : {1, 2, 4, 8, 16, 32, 64}) by_threads->Threads(threads);
  }
  for (const Backend& each : {backend("none"), url_reader(), backend("statsd")}) {
    for (const std::size_t endpoints : {1U, 10U, 100U, 1000U, 10'000U}) add_record("offered", each, endpoints);
  }
  for (const char* name : {"none", "statsd"}) {
    const Backend& each = backend(name);
    add("begin/" + each.name, [&each](benchmark::State& state) { begin(state, each); })->Iterations(20);
  }
  const auto workload = std::make_shared<const Workload>(100U, many_deliveries(100));
  for (const Backend& each : {backend("none"), often_flushing()}) {
    add("memory/" + each.name, [=](benchmark::State& state) { memory(state, each, *workload); })
        ->Iterations(1)
        ->ComputeStatistics("max", [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); });
  }
}
