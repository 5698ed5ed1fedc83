// event_metrics/statsd_event_metrics.hpp - sends deliveries to a StatsD agent: Datadog, Telegraf and others.
//
//   StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog, .address = "udp://127.0.0.1:8125"}};
//   metrics.record_delivery_success("https://hooks.example.com/T0/secret", 12ms);

#pragma once

#include <chrono>       // timeouts
#include <cstddef>      // std::size_t
#include <memory>       // the implementation
#include <string_view>  // URLs

#include "event_metrics/config.hpp"
#include "event_metrics/endpoint_label.hpp"
#include "event_metrics/event_metrics.hpp"
#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd/stats.hpp"

namespace event_metrics::inline v0 {

struct DeliveryOptions {
  /// Without effect where the agent has no tags (etsy, plain, collectd, netdata).
  EndpointLabel endpoint_label = EndpointLabel::host;

  /// Endpoints, which are labels, with a series of their own: 1 to 100,000. First seen, first served; the rest share
  /// `other`.
  std::size_t max_endpoints = 100;

  /// Durations as Datadog distributions (`d`), whose percentiles are global. Refused for every other agent.
  bool distribution = false;
};

/// Records deliveries in memory and sends them to a StatsD agent once per flush interval, from a thread of its own.
///
/// A call finds its endpoint and writes one word, which the own thread counts. Once its thread and its endpoint have
/// been seen it never waits, locks, allocates or enters the kernel. What the agent does not take stays owed and is sent
/// later; nothing recorded is lost inside the process.
///
/// Thread safety: every member may be called from any thread at any time, except that destruction must not run
/// beside other calls. After fork() a child starts from zero and sends its own numbers. A thread that is cancelled
/// inside a member (pthread_cancel) ends behind it; asynchronous cancellation is not supported.
class EVENT_METRICS_API StatsdEventMetrics final : public EventMetrics {
 public:
  /// Throws std::invalid_argument for a wrong option, std::bad_alloc and std::system_error when the machine has no
  /// memory or thread left. Never because of the agent; and where no descriptor is left, the agent counts as absent.
  explicit StatsdEventMetrics(statsd::Options options, DeliveryOptions delivery = {});

  /// Sends what is still owed, for at most `close_timeout`, the last active tasks as 0; tells on_error what is left.
  ~StatsdEventMetrics() override;

  void record_delivery_success(std::string_view endpoint_url, std::chrono::nanoseconds duration) noexcept override;
  void record_delivery_failure(std::string_view endpoint_url, int status_code) noexcept override;
  void record_delivery_error(std::string_view endpoint_url) noexcept override;
  void increment_active_tasks() noexcept override;
  void decrement_active_tasks() noexcept override;

  /// Sends everything recorded before the call; true when all of it is accepted. Blocks for at most `timeout`, on UDP
  /// for at least 2 ms (that long a refusal may take); on_error comes on top. False also when the agent's answer is not
  /// known in time. Not for delivery threads.
  bool flush(std::chrono::milliseconds timeout) noexcept;

  /// For `own_thread = false`: does what is due, at most 16 datagrams of it, and returns when to call next; waits for
  /// nothing.
  std::chrono::steady_clock::time_point poll() noexcept;

  /// Never waits for a flush. In a forked child that has called nothing else it begins nothing, and all is 0.
  statsd::Stats stats() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace event_metrics::inline v0
