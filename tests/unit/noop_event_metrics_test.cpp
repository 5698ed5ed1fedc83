#include "event_metrics/noop_event_metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

// There is nothing to be done with: no state of its own, only what every EventMetrics has.
static_assert(sizeof(NoOpEventMetrics) == sizeof(void*));
static_assert(std::is_final_v<NoOpEventMetrics>);

void call_everything(EventMetrics& metrics, std::string_view url, std::chrono::nanoseconds duration, int status) {
  metrics.record_delivery_success(url, duration);
  metrics.record_delivery_failure(url, status);
  metrics.record_delivery_error(url);
  metrics.increment_active_tasks();
  metrics.decrement_active_tasks();
}

// That the calls compile to nothing at all is shown by tests/noop/.
TEST(NoOpEventMetrics, AllMethodsAreNoOps) {
  NoOpEventMetrics metrics;
  const auto bytes = [&metrics] {
    return std::string{reinterpret_cast<const char*>(&metrics), sizeof metrics};  // NOLINT: the object's bytes
  };
  const std::string before = bytes();
  call_everything(metrics, "https://hooks.example.com/T0", 12ms, 503);
  EXPECT_EQ(bytes(), before);
}

TEST(NoOpEventMetrics, NoPanics) {
  NoOpEventMetrics metrics;
  call_everything(metrics, {}, 0ns, 0);
  call_everything(metrics, std::string(1U << 20U, '\0'), std::chrono::nanoseconds::min(),
                  std::numeric_limits<int>::min());
  call_everything(metrics, "|\n:#@", std::chrono::nanoseconds::max(), std::numeric_limits<int>::max());
  metrics.decrement_active_tasks();
}

TEST(NoOpEventMetrics, TakesCallsFromManyThreads) {
  NoOpEventMetrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 1000; ++n) call_everything(metrics, "https://hooks.example.com/T0", 1ms, 500);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(NoOpEventMetrics, ServesTheGuards) {
  NoOpEventMetrics metrics;
  const ActiveTask task{metrics};
  DeliveryAttempt attempt{metrics, "https://hooks.example.com/T0"};
  attempt.success();
}

}  // namespace
}  // namespace event_metrics
