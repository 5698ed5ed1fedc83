// event_metrics/event_metrics.hpp - the interface through which a service records its webhook deliveries. Start here.
//
// Business code takes an `EventMetrics&` and never learns which metrics system stands behind it:
//
//   void deliver(EventMetrics& metrics, const Endpoint& endpoint) {
//     DeliveryAttempt attempt{metrics, endpoint.url};      // an exception from here on counts as an error
//     const int status = post(endpoint);
//     if (status < 300) attempt.success(); else attempt.failure(status);
//   }

#pragma once

#include <atomic>       // the fork count
#include <chrono>       // durations
#include <concepts>     // std::same_as
#include <cstdint>      // std::uint32_t
#include <string>       // the refused temporary
#include <string_view>  // URLs
#include <type_traits>  // std::remove_cvref_t
#include <utility>      // std::exchange

#include "event_metrics/config.hpp"

namespace event_metrics::inline v0 {

/// Records deliveries. Every backend counts alike:
///
/// | call      | attempts | successes | failures | duration | active tasks |
/// |-----------|----------|-----------|----------|----------|--------------|
/// | success   | +1       | +1        |          | observed |              |
/// | failure   | +1       |           | +1       |          |              |
/// | error     | +1       |           | +1       |          |              |
/// | increment / decrement |   |       |          |          | +1 / -1      |
///
/// Thread safety: every call may be made from any thread at any time. Calls never throw and never report a failure to
/// the caller. They are not async-signal-safe. Whether a call may block or allocate is the backend's promise, stated
/// at each.
class EVENT_METRICS_API EventMetrics {
 public:
  EventMetrics(const EventMetrics&) = delete;
  EventMetrics& operator=(const EventMetrics&) = delete;
  virtual ~EventMetrics() = default;

  /// A delivery that the endpoint accepted. `endpoint_url` is the whole URL; a backend takes its label from it (see
  /// EndpointLabel) and keeps no reference. `duration` is recorded in whole milliseconds, rounded down; a negative one
  /// is 0, so `steady_clock::now() - start` can be passed as it is.
  virtual void record_delivery_success(std::string_view endpoint_url, std::chrono::nanoseconds duration) noexcept = 0;

  /// A delivery that the endpoint answered with a status other than success. Any `status_code` is taken.
  virtual void record_delivery_failure(std::string_view endpoint_url, int status_code) noexcept = 0;

  /// A delivery without an answer: refused, timed out, broken off.
  virtual void record_delivery_error(std::string_view endpoint_url) noexcept = 0;

  /// One background task more, one less. Pair them with ActiveTask.
  virtual void increment_active_tasks() noexcept = 0;
  virtual void decrement_active_tasks() noexcept = 0;

 protected:
  EventMetrics() = default;
};

namespace detail {
/// How often this process has been forked since its first ancestor with a StatsdEventMetrics; raised in the child.
EVENT_METRICS_API inline std::atomic<std::uint32_t> fork_count{0};

/// Relaxed: a child has one thread when it is born, and everything that it does later comes after.
inline std::uint32_t forks() noexcept { return fork_count.load(std::memory_order_relaxed); }
}  // namespace detail

/// Counts one active task while it lives: +1 on construction, -1 once on destruction. Movable; the moved-from guard
/// does nothing. In a forked child it does nothing, because the task goes on in the parent.
/// `metrics` must outlive it. Thread safety: distinct guards are safe, one guard belongs to one thread at a time.
class [[nodiscard]] ActiveTask {
 public:
  explicit ActiveTask(EventMetrics& metrics) noexcept : metrics_{&metrics}, forks_{detail::forks()} {
    metrics_->increment_active_tasks();
  }
  ActiveTask(ActiveTask&& other) noexcept : metrics_{std::exchange(other.metrics_, nullptr)}, forks_{other.forks_} {}
  ActiveTask& operator=(ActiveTask&& other) noexcept {
    if (this != &other) {
      end();
      metrics_ = std::exchange(other.metrics_, nullptr);
      forks_ = other.forks_;
    }
    return *this;
  }
  ~ActiveTask() { end(); }

 private:
  void end() noexcept {
    if (metrics_ != nullptr && forks_ == detail::forks()) metrics_->decrement_active_tasks();
  }

  EventMetrics* metrics_;
  std::uint32_t forks_;
};

/// Records one delivery exactly once: the first of success(), failure(), error() and cancel() is the verdict, later
/// ones do nothing. Destroyed without a verdict (an exception) it records an error. The duration is the time from
/// construction to success(). Movable; the moved-from guard does nothing. In a forked child it does nothing.
/// `metrics` and the characters of `endpoint_url` must outlive it: a temporary std::string is refused at compile time.
/// Thread safety: distinct guards are safe, one guard belongs to one thread at a time.
class [[nodiscard]] DeliveryAttempt {
 public:
  DeliveryAttempt(EventMetrics& metrics, std::string_view endpoint_url) noexcept
      : metrics_{&metrics}, url_{endpoint_url}, start_{std::chrono::steady_clock::now()}, forks_{detail::forks()} {}

  // A template, because an overload on std::string&& would make a string literal ambiguous.
  template <class String>
  requires(std::same_as<std::remove_cvref_t<String>, std::string> && !std::is_lvalue_reference_v<String>)
      DeliveryAttempt(EventMetrics& metrics, String&& temporary_url)
  = delete;

  DeliveryAttempt(DeliveryAttempt&& other) noexcept
      : metrics_{std::exchange(other.metrics_, nullptr)},
        url_{other.url_},
        start_{other.start_},
        forks_{other.forks_} {}
  DeliveryAttempt& operator=(DeliveryAttempt&&) = delete;
  ~DeliveryAttempt() { error(); }

  void success() noexcept {
    if (EventMetrics* metrics = take()) {
      metrics->record_delivery_success(url_, std::chrono::steady_clock::now() - start_);
    }
  }
  void failure(int status_code) noexcept {
    if (EventMetrics* metrics = take()) metrics->record_delivery_failure(url_, status_code);
  }
  void error() noexcept {
    if (EventMetrics* metrics = take()) metrics->record_delivery_error(url_);
  }
  /// Nothing was delivered and nothing is recorded.
  void cancel() noexcept { metrics_ = nullptr; }

 private:
  EventMetrics* take() noexcept {
    EventMetrics* metrics = std::exchange(metrics_, nullptr);
    return forks_ == detail::forks() ? metrics : nullptr;
  }

  EventMetrics* metrics_;
  std::string_view url_;
  std::chrono::steady_clock::time_point start_;
  std::uint32_t forks_;
};

}  // namespace event_metrics::inline v0
