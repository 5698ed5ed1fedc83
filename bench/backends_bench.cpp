// What a call costs through each backend, on one thread and on eight (where the time is that of all, divided by all
// calls); and what it would cost, were each one a call of prometheus-cpp. docs/backends.md has the figures of one run.

#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "event_metrics/mock_event_metrics.hpp"
#include "event_metrics/noop_event_metrics.hpp"
#include "event_metrics/prometheus_event_metrics.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

const prometheus::Histogram::BucketBoundaries buckets{0.1, 0.5, 1, 2.5, 5, 10};

/// The alternative: every call goes into objects of prometheus-cpp.
class DirectPrometheus final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view, std::chrono::nanoseconds duration) noexcept override {
    attempts_.Increment();
    successes_.Increment();
    duration_.Observe(std::chrono::duration<double>{duration}.count());
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view) noexcept override {
    attempts_.Increment();
    failures_.Increment();
  }
  void increment_active_tasks() noexcept override { active_tasks_.Increment(); }
  void decrement_active_tasks() noexcept override { active_tasks_.Decrement(); }

 private:
  prometheus::Counter attempts_;
  prometheus::Counter successes_;
  prometheus::Counter failures_;
  prometheus::Histogram duration_{buckets};
  prometheus::Gauge active_tasks_;
};

/// The same by endpoint: through prometheus-cpp's look-up of a label.
class LabelledPrometheus final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view url, std::chrono::nanoseconds duration) noexcept override {
    const prometheus::Labels labels = labels_of(url);
    attempts_.Add(labels).Increment();
    successes_.Add(labels).Increment();
    duration_.Add(labels, buckets).Observe(std::chrono::duration<double>{duration}.count());
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view url) noexcept override {
    const prometheus::Labels labels = labels_of(url);
    attempts_.Add(labels).Increment();
    failures_.Add(labels).Increment();
  }
  void increment_active_tasks() noexcept override { active_tasks_.Increment(); }
  void decrement_active_tasks() noexcept override { active_tasks_.Decrement(); }

 private:
  static prometheus::Labels labels_of(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    return {{"endpoint", std::string{url.substr(0, url.find('/'))}}};
  }

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& attempts_ = prometheus::BuildCounter().Name("a").Register(registry_);
  prometheus::Family<prometheus::Counter>& successes_ = prometheus::BuildCounter().Name("s").Register(registry_);
  prometheus::Family<prometheus::Counter>& failures_ = prometheus::BuildCounter().Name("f").Register(registry_);
  prometheus::Family<prometheus::Histogram>& duration_ = prometheus::BuildHistogram().Name("d").Register(registry_);
  prometheus::Gauge active_tasks_;
};

using Backend = std::unique_ptr<EventMetrics>;
Backend noop() { return std::make_unique<NoOpEventMetrics>(); }
Backend mock() { return std::make_unique<MockEventMetrics>(); }
template <EndpointLabel label>
Backend statsd_client() {
  return std::make_unique<StatsdEventMetrics>(
      statsd::Options{.agent = statsd::Agent::datadog, .on_error = [](std::string_view) {}}, DeliveryOptions{label});
}
template <EndpointLabel label>
Backend prometheus_client() {
  return std::make_unique<PrometheusEventMetrics>(std::make_shared<prometheus::Registry>(), PrometheusOptions{label});
}
Backend direct() { return std::make_unique<DirectPrometheus>(); }
Backend labelled() { return std::make_unique<LabelledPrometheus>(); }

Backend metrics;  // of all threads of one benchmark: made before its loop, gone after it

template <class Call>
void measure(benchmark::State& state, Backend (*make)(), Call call) {
  if (state.thread_index() == 0) metrics = make();
  for (auto _ : state) call(*metrics);
  if (state.thread_index() == 0) metrics.reset();
}

const std::string url = "https://hooks.example.com/services/T0/B0";

void success(benchmark::State& state, Backend (*make)()) {
  measure(state, make, [](EventMetrics& backend) { backend.record_delivery_success(url, 120ms); });
}
void failure(benchmark::State& state, Backend (*make)()) {
  measure(state, make, [](EventMetrics& backend) { backend.record_delivery_failure(url, 503); });
}
void active_task(benchmark::State& state, Backend (*make)()) {
  measure(state, make, [](EventMetrics& backend) { const ActiveTask task{backend}; });
}

void add(const std::string& backend, Backend (*make)(), std::int64_t calls) {
  const auto one = [&](const char* call, void (*function)(benchmark::State&, Backend(*)())) {
    benchmark::RegisterBenchmark((backend + '/' + call).c_str(), function, make)
        ->Iterations(calls)
        ->Threads(1)
        ->Threads(8)
        ->UseRealTime();
  };
  one("success", success);
  one("failure", failure);
  one("task", active_task);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add("none", noop, 2'000'000);
  add("mock", mock, 100'000);  // which remembers each
  add("statsd", statsd_client<EndpointLabel::none>, 2'000'000);
  add("statsd by host", statsd_client<EndpointLabel::host>, 2'000'000);
  add("prometheus", prometheus_client<EndpointLabel::none>, 2'000'000);
  add("prometheus by host", prometheus_client<EndpointLabel::host>, 2'000'000);
  add("prometheus-cpp", direct, 2'000'000);
  add("prometheus-cpp by host", labelled, 200'000);
  benchmark::RunSpecifiedBenchmarks();
}
