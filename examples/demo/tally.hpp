// demo/tally.hpp - counts every call before the library sees it, so that there is something to compare with.

#pragma once

#include <chrono>       // durations
#include <cstdint>      // std::uint64_t
#include <mutex>        // every member
#include <string_view>  // URLs

#include "demo/counts.hpp"
#include "demo/publisher.hpp"
#include "event_metrics/event_metrics.hpp"

namespace demo {

/// An EventMetrics in front of another one. `next` must outlive it.
/// Thread safety: safe. It locks and allocates, unlike the library: a real service has no need for it.
class TallyEventMetrics final : public event_metrics::EventMetrics {
 public:
  explicit TallyEventMetrics(event_metrics::EventMetrics& next) : next_{next} { counts_.active_tasks = 0; }

  void record_delivery_success(std::string_view url, std::chrono::nanoseconds duration) noexcept override {
    {
      const std::lock_guard lock{mutex_};
      EndpointCounts& endpoint = attempted(url);
      ++endpoint.successes;
      ++endpoint.latencies[static_cast<std::uint64_t>(duration / std::chrono::milliseconds{1})];
    }
    next_.record_delivery_success(url, duration);
  }
  void record_delivery_failure(std::string_view url, int status_code) noexcept override {
    {
      const std::lock_guard lock{mutex_};
      ++attempted(url).failures;
    }
    next_.record_delivery_failure(url, status_code);
  }
  void record_delivery_error(std::string_view url) noexcept override {
    {
      const std::lock_guard lock{mutex_};
      ++attempted(url).failures;
    }
    next_.record_delivery_error(url);
  }
  void increment_active_tasks() noexcept override {
    change_active_tasks(1);
    next_.increment_active_tasks();
  }
  void decrement_active_tasks() noexcept override {
    change_active_tasks(-1);
    next_.decrement_active_tasks();
  }

  Counts counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
  }

 private:
  EndpointCounts& attempted(std::string_view url) {
    EndpointCounts& endpoint = counts_.endpoints[split_url(url).host];
    ++endpoint.attempts;
    return endpoint;
  }
  void change_active_tasks(std::int64_t change) {
    const std::lock_guard lock{mutex_};
    *counts_.active_tasks += change;
  }

  event_metrics::EventMetrics& next_;
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace demo
