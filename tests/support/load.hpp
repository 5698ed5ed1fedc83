// support/load.hpp - threads that record as fast as they can, and what they have recorded.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/event_metrics.hpp"
#include "support/agent.hpp"

namespace support {

/// What is compared: recorded, or received.
struct Sums {
  std::int64_t successes = 0;
  std::int64_t failures = 0;
  std::uint64_t durations = 0;
  std::uint64_t milliseconds = 0;

  Sums& operator+=(const Sums& other) {
    successes += other.successes;
    failures += other.failures;
    durations += other.durations;
    milliseconds += other.milliseconds;
    return *this;
  }
  friend Sums operator+(Sums left, const Sums& right) { return left += right; }
  friend bool operator==(const Sums&, const Sums&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Sums& sums) {
    return out << sums.successes << " successes, " << sums.failures << " failures, " << sums.durations
               << " durations of " << sums.milliseconds << " ms";
  }
};

inline Sums sums(const Tally& tally) {
  Sums sums{.successes = tally.counter_sum("notification.delivery.successes"),
            .failures = tally.counter_sum("notification.delivery.failures")};
  for (const auto& [key, values] : tally.timings) {
    for (const auto& [ms, count] : values) {
      sums.durations += count;
      sums.milliseconds += static_cast<std::uint64_t>(ms) * count;
    }
  }
  return sums;
}

/// Every eighth delivery fails; durations go through `values` whole milliseconds.
class Load {
 public:
  static constexpr std::uint64_t values = 500;

  Load(event_metrics::EventMetrics& metrics, std::size_t threads) : parts_(threads) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this, &metrics, i] { parts_[i] = record(metrics, i); });
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { (void)stop(); }

  /// Ends the threads; what they have recorded in all.
  Sums stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    Sums sum;
    for (const Sums& part : parts_) sum += part;
    return sum;
  }

 private:
  Sums record(event_metrics::EventMetrics& metrics, std::size_t thread) {
    Sums sums;
    const std::array<std::string, 3> urls = {"https://a.example/T0", "https://b.example/T0",
                                             "https://c" + std::to_string(thread) + ".example/T0"};
    for (std::uint64_t call = 0; !stopping_.load(std::memory_order_relaxed); ++call) {
      const std::string& url = urls[call % urls.size()];
      if (call % 8 == 0) {
        metrics.record_delivery_failure(url, 503);
        ++sums.failures;
      } else {
        const std::uint64_t ms = call * 7919 % values;
        metrics.record_delivery_success(url, std::chrono::milliseconds{ms});
        ++sums.successes;
        ++sums.durations;
        sums.milliseconds += ms;
      }
    }
    return sums;
  }

  std::atomic<bool> stopping_{false};
  std::vector<Sums> parts_;
  std::vector<std::thread> threads_;
};

}  // namespace support
