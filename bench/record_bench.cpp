// What a call costs the thread that makes it, by backend, call, endpoints and threads, and by how its URL is written
// and whether that is a copy; and what the machine charges for the least that a call could consist of. The interval of
// flushing is a second, the client younger than that: what a flush does to a call is asked by tail_bench.

#include <time.h>

#include <iterator>
#include <span>

#include "batches.hpp"
#include "workload.hpp"

namespace {

using namespace event_metrics;
using bench::Workload;

constexpr int thread_counts[] = {1, 2, 8};

/// `deliver(metrics, url, duration)` makes one call.
template <class Deliver>
void record(benchmark::State& state, bench::SharedClient& client, const Workload& workload, Deliver deliver) {
  EventMetrics& metrics = client.join(state);
  const int thread = state.thread_index();
  {
    const bench::Pinned pinned{thread};
    const auto call = [&](const std::string& url, std::chrono::nanoseconds duration) {
      deliver(metrics, url, duration);
    };
    client.warm_up(state, workload.endpoints(), [&] { workload.deliver(workload.size(), thread, call); });
    bench::measure(state, bench::clock_for(state.threads()),
                   [&](std::int64_t count) { workload.deliver(count, thread, call); });
  }
  client.leave(state);
}

void record_tasks(benchmark::State& state, bench::SharedClient& client) {
  EventMetrics& metrics = client.join(state);
  {
    const bench::Pinned pinned{state.thread_index()};
    bench::measure(state, bench::clock_for(state.threads()), [&](std::int64_t count) {
      for (std::int64_t i = 0; i < count; i += 2) {
        metrics.increment_active_tasks();
        metrics.decrement_active_tasks();
      }
    });
  }
  client.leave(state);
}

template <class Deliver>
void add_call(const std::string& call, const bench::Backend& backend, std::shared_ptr<const Workload> workload,
              Deliver deliver) {
  const auto client = std::make_shared<bench::SharedClient>(backend);
  auto* added =
      bench::add(call + '/' + backend.name + "/endpoints:" + std::to_string(workload->endpoints()),
                 [client, workload, deliver](benchmark::State& state) { record(state, *client, *workload, deliver); });
  for (const int threads : thread_counts) added->Threads(threads);
}

const auto success = [](EventMetrics& metrics, const std::string& url, std::chrono::nanoseconds duration) {
  metrics.record_delivery_success(url, duration);
};
const auto failure = [](EventMetrics& metrics, const std::string& url, std::chrono::nanoseconds) {
  metrics.record_delivery_failure(url, 503);
};
const auto error = [](EventMetrics& metrics, const std::string& url, std::chrono::nanoseconds) {
  metrics.record_delivery_error(url);
};

benchmark::internal::Benchmark* add_tasks(const bench::Backend& backend) {
  const auto client = std::make_shared<bench::SharedClient>(backend);
  return bench::add("task/" + backend.name, [client](benchmark::State& state) { record_tasks(state, *client); });
}

void record_shape(benchmark::State& state, bench::SharedClient& client, const Workload& workload, bool copied) {
  EventMetrics& metrics = client.join(state);
  {
    const bench::Pinned pinned{state.thread_index()};
    bench::Batches batches{workload, copied};
    const auto deliver = [&](std::int64_t count) {
      std::chrono::nanoseconds elapsed{};
      while (count > 0) {
        const std::span<const bench::Sent> batch = batches.next(count);
        const std::chrono::nanoseconds start = bench::now(bench::Clock::wall);
        for (const bench::Sent& each : batch) metrics.record_delivery_success(each.url, each.duration);
        elapsed += bench::now(bench::Clock::wall) - start;
        count -= std::ssize(batch);
      }
      return elapsed;
    };
    client.warm_up(state, workload.endpoints(), [&] { deliver(workload.size()); });
    while (state.KeepRunningBatch(state.max_iterations)) {
      const std::chrono::duration<double> elapsed = deliver(state.max_iterations);
      state.SetIterationTime(elapsed.count());  // of one thread: see measure()
    }
  }
  client.leave(state);
}

/// With little time for each, as making the copies takes several times what is measured.
void add_shapes(const std::string& name, std::size_t endpoints) {
  for (const bench::Shape& shape : bench::shapes) {
    const auto workload = std::make_shared<const Workload>(endpoints, shape);
    const auto client = std::make_shared<bench::SharedClient>(bench::backend_for(name, endpoints));
    for (const bool copied : {true, false}) {
      bench::add("shape/" + name + '/' + std::string{shape.name} + (copied ? " copied" : " in place") +
                     "/endpoints:" + std::to_string(endpoints),
                 [=](benchmark::State& state) { record_shape(state, *client, *workload, copied); })
          ->MinTime(0.02);
    }
  }
}

/// Everything, for the floor and for us.
void add_in_full(const std::string& name) {
  for (const std::size_t endpoints : {1U, 16U, 256U, 4096U}) {
    const bench::Backend backend = bench::backend_for(name, endpoints);
    const auto workload = std::make_shared<const Workload>(endpoints);
    add_call("success", backend, workload, success);
    add_call("failure", backend, workload, failure);
    add_call("error", backend, workload, error);
  }
  auto* tasks = add_tasks(bench::backend(name));
  for (const int threads : thread_counts) tasks->Threads(threads);
}

/// `step()` is one of what the name says. The empty call is among the backends, as "none".
template <class Step>
void add_floor(const std::string& name, Step step) {
  auto* added = bench::add("floor/" + name, [step](benchmark::State& state) {
    const bench::Pinned pinned{state.thread_index()};
    bench::measure(state, bench::clock_for(state.threads()), [&](std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) step();
    });
  });
  for (const int threads : thread_counts) added->Threads(threads);
}

alignas(64) thread_local std::uint64_t own_word;
alignas(64) thread_local std::atomic<std::uint64_t> own_line;
alignas(64) std::atomic<std::uint64_t> shared_line;

void add_floors() {
  add_floor("thread-local increment", [] { benchmark::DoNotOptimize(++own_word); });
  add_floor("lock xadd, own line", [] { benchmark::DoNotOptimize(own_line.fetch_add(1, std::memory_order_relaxed)); });
  add_floor("lock xadd, shared line",
            [] { benchmark::DoNotOptimize(shared_line.fetch_add(1, std::memory_order_relaxed)); });
  add_floor("clock_gettime", [] {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    benchmark::DoNotOptimize(time);
  });
}

}  // namespace

void bench::register_benchmarks() {
  add_floors();
  add_in_full("none");
  add_in_full("statsd");
  const auto workload = std::make_shared<const Workload>(16U);
  for (const Backend& each : backends()) {
    if (each.name == "none" || each.name == "statsd") continue;
    add_call("success", each, workload, success);
    add_call("failure", each, workload, failure);
    add_tasks(each)->Threads(1);
  }
  for (const std::size_t endpoints : {16U, 256U}) {
    for (const char* name : {"none", "statsd", "prometheus-cpp"}) {
      if (has_backend(name)) add_shapes(name, endpoints);
    }
  }
}
