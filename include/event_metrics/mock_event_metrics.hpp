// event_metrics/mock_event_metrics.hpp - remembers every call, for the tests of code that records deliveries.

#pragma once

#include <chrono>       // durations
#include <cstdint>      // counts
#include <exception>    // std::exception, when the list of calls finds no memory
#include <mutex>        // every member
#include <string>       // remembered URLs
#include <string_view>  // URLs
#include <vector>       // calls()

#include "event_metrics/event_metrics.hpp"

namespace event_metrics::inline v0 {

/// Counts every call and keeps it, in the order in which the calls took the lock.
///
///   MockEventMetrics metrics;
///   publish(event, metrics);
///   EXPECT_EQ(metrics.success_count(), 1);
///   EXPECT_EQ(metrics.calls().front().endpoint_url, "https://hooks.example.com/T0");
///
/// Thread safety: safe. Takes a mutex and allocates: it is for tests. When there is no memory for a call it is still
/// counted, but missing from calls(); compiled with -fno-exceptions, the program ends.
class MockEventMetrics final : public EventMetrics {
 public:
  enum class Kind : std::uint8_t { success, failure, error, increment_active_tasks, decrement_active_tasks };

  /// One call with its arguments as they were passed; those that its kind does not have are empty or 0.
  struct Call {
    Kind kind{};
    std::string endpoint_url{};
    std::chrono::nanoseconds duration{0};
    int status_code = 0;

    friend bool operator==(const Call&, const Call&) = default;
  };

  void record_delivery_success(std::string_view endpoint_url, std::chrono::nanoseconds duration) noexcept override {
    record(successes_, 1, Kind::success, endpoint_url, duration, 0);
  }
  void record_delivery_failure(std::string_view endpoint_url, int status_code) noexcept override {
    record(failures_, 1, Kind::failure, endpoint_url, {}, status_code);
  }
  void record_delivery_error(std::string_view endpoint_url) noexcept override {
    record(errors_, 1, Kind::error, endpoint_url, {}, 0);
  }
  void increment_active_tasks() noexcept override { record(active_tasks_, 1, Kind::increment_active_tasks, {}, {}, 0); }
  void decrement_active_tasks() noexcept override {
    record(active_tasks_, -1, Kind::decrement_active_tasks, {}, {}, 0);
  }

  std::int64_t success_count() const { return read(successes_); }
  std::int64_t failure_count() const { return read(failures_); }
  std::int64_t error_count() const { return read(errors_); }
  /// Increments less decrements; negative when a decrement has no increment.
  std::int64_t active_task_count() const { return read(active_tasks_); }

  /// A copy of every call since construction or the last reset().
  std::vector<Call> calls() const {
    const std::lock_guard lock{mutex_};
    return calls_;
  }

  /// Forgets all calls; every count is 0 again.
  void reset() {
    const std::lock_guard lock{mutex_};
    successes_ = failures_ = errors_ = active_tasks_ = 0;
    calls_.clear();
  }

 private:
  void record(std::int64_t& count, std::int64_t change, Kind kind, std::string_view url,
              std::chrono::nanoseconds duration, int status_code) noexcept {
    const std::lock_guard lock{mutex_};
    count += change;
#ifdef __cpp_exceptions
    try {
      calls_.push_back({kind, std::string{url}, duration, status_code});
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): documented above
    }
#else
    calls_.push_back({kind, std::string{url}, duration, status_code});
#endif
  }
  std::int64_t read(const std::int64_t& count) const {
    const std::lock_guard lock{mutex_};
    return count;
  }

  mutable std::mutex mutex_;
  std::int64_t successes_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t errors_ = 0;
  std::int64_t active_tasks_ = 0;
  std::vector<Call> calls_;
};

}  // namespace event_metrics::inline v0
