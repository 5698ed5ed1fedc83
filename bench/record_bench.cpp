// What a call costs the thread that makes it.

#include "workload.hpp"

namespace {

using namespace event_metrics;

void record(benchmark::State& state, bench::SharedClient& client, const bench::Workload& workload) {
  EventMetrics& metrics = client.join(state);
  const auto call = [&](const std::string& url, std::chrono::nanoseconds duration) {
    metrics.record_delivery_success(url, duration);
  };
  {
    const bench::Pinned pinned{state.thread_index()};
    workload.deliver(static_cast<std::int64_t>(workload.all().size()), state.thread_index(), call);
    bench::measure(state, bench::clock_for(state.threads()), 1,
                   [&](std::int64_t count) { workload.deliver(count, state.thread_index(), call); });
  }
  client.leave(state);
}

}  // namespace

void bench::register_benchmarks() {
  const auto workload = std::make_shared<const Workload>(16U);
  for (const Backend& backend : backends()) {
    const auto client = std::make_shared<SharedClient>(backend);
    add("success/" + backend.name, [=](benchmark::State& state) { record(state, *client, *workload); })
        ->Threads(1)
        ->Threads(2)
        ->Threads(8);
  }
}
