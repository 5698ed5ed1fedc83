// event_metrics/prometheus_event_metrics.hpp - shows deliveries to Prometheus, in a registry of prometheus-cpp.
//
//   const auto registry = std::make_shared<prometheus::Registry>();
//   exposer.RegisterCollectable(registry);
//   PrometheusEventMetrics metrics{registry};
//   metrics.record_delivery_success("https://hooks.example.com/T0/secret", 12ms);

#pragma once

#include <chrono>       // durations
#include <cstddef>      // std::size_t
#include <functional>   // on_error
#include <memory>       // the registry, the implementation
#include <string_view>  // URLs

#include "event_metrics/config.hpp"
#include "event_metrics/endpoint_label.hpp"
#include "event_metrics/event_metrics.hpp"

namespace prometheus {
class Registry;
}

namespace event_metrics::inline v0 {

struct PrometheusOptions {
  /// `host` gives all metrics but the active tasks the label `endpoint`.
  EndpointLabel endpoint_label = EndpointLabel::none;

  /// Endpoints with series of their own, 12 each: 1 to 100,000. First seen, first served; the rest share `other`.
  std::size_t max_endpoints = 100;

  /// Told in one sentence what goes wrong after construction, at most once a minute per cause, on the own thread or in
  /// update(). Empty: standard error. No lock is held; what it throws is swallowed. It may not destroy the metrics, nor
  /// wait for the thread that does.
  std::function<void(std::string_view)> on_error = {};
};

/// Records deliveries in memory and brings the user's registry up to date every second, from a thread of its own: a
/// scrape sees what was recorded until then.
///
/// `notification_delivery_attempts_total`, `…_successes_total` and `…_failures_total` (counters),
/// `notification_delivery_duration_seconds` (histogram, buckets 0.1 0.5 1 2.5 5 10) and `notification_active_tasks`
/// (gauge). A duration is counted in whole milliseconds, rounded down: 100.9 ms lies in the bucket 0.1. The histogram's
/// sum is exact through 4095 ms, within 0.05 % up to 2^39 ms (17 years).
///
/// A call finds its endpoint and writes one word, as with StatsdEventMetrics. Once its thread and its endpoint
/// have been seen it never waits, locks, allocates or enters the kernel; prometheus-cpp is not called. With more than
/// eight clients of this library in a process, the further ones know a duration only by its power of two, and say so.
///
/// Thread safety: every member may be called from any thread at any time, except that destruction must not run beside
/// other calls. After fork() a child starts from zero in its copy of the registry, with its first call here. If another
/// thread was in prometheus-cpp during the fork (a scrape), the child finds that library's locks taken for ever: then
/// recording goes on, while update(), a scrape and destruction wait in vain.
class EVENT_METRICS_API PrometheusEventMetrics final : public EventMetrics {
 public:
  /// Adds its five families to `registry`, with zeros, and keeps it alive. Throws std::invalid_argument when one of the
  /// names is registered already and for a wrong option; std::bad_alloc and std::system_error when the machine has no
  /// memory or thread left.
  explicit PrometheusEventMetrics(std::shared_ptr<prometheus::Registry> registry, PrometheusOptions options = {});

  /// Takes its families out of the registry.
  ~PrometheusEventMetrics() override;

  void record_delivery_success(std::string_view endpoint_url, std::chrono::nanoseconds duration) noexcept override;
  void record_delivery_failure(std::string_view endpoint_url, int status_code) noexcept override;
  void record_delivery_error(std::string_view endpoint_url) noexcept override;
  void increment_active_tasks() noexcept override;
  void decrement_active_tasks() noexcept override;

  /// Brings the registry up to date with all that was recorded before the call: for tests, and for a handler of
  /// `/metrics` that wants the last second too. May wait for an update on another thread, and allocate.
  void update() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace event_metrics::inline v0
