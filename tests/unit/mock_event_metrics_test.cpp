#include "event_metrics/mock_event_metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Kind = MockEventMetrics::Kind;

constexpr const char* hook = "https://hooks.example.com/T0";

// The publisher of the specification's integration example, with the network left out.
template <class Post>
void publish(EventMetrics& metrics, Post post) {
  const ActiveTask task{metrics};
  DeliveryAttempt attempt{metrics, hook};
  if (const int status = post(); status < 300) {
    attempt.success();
  } else {
    attempt.failure(status);
  }
}

TEST(MockEventMetrics, MetricsRecordedOnDelivery) {
  MockEventMetrics metrics;
  publish(metrics, [&metrics] {
    EXPECT_EQ(metrics.active_task_count(), 1);
    return 200;
  });
  EXPECT_EQ(metrics.success_count(), 1);
  EXPECT_EQ(metrics.failure_count(), 0);
  EXPECT_EQ(metrics.error_count(), 0);
  EXPECT_EQ(metrics.active_task_count(), 0);
}

TEST(MockEventMetrics, MetricsRecordedOnFailure) {
  MockEventMetrics metrics;
  publish(metrics, [] { return 503; });
  EXPECT_EQ(metrics.success_count(), 0);
  EXPECT_EQ(metrics.failure_count(), 1);
  EXPECT_EQ(metrics.error_count(), 0);
  EXPECT_EQ(metrics.active_task_count(), 0);
}

TEST(MockEventMetrics, MetricsRecordedOnError) {
  MockEventMetrics metrics;
  EXPECT_THROW(publish(metrics, []() -> int { throw std::runtime_error{"connection refused"}; }), std::runtime_error);
  EXPECT_EQ(metrics.success_count(), 0);
  EXPECT_EQ(metrics.failure_count(), 0);
  EXPECT_EQ(metrics.error_count(), 1);
  EXPECT_EQ(metrics.active_task_count(), 0);
}

TEST(MockEventMetrics, BeginsAtZero) {
  const MockEventMetrics metrics;
  EXPECT_EQ(metrics.success_count(), 0);
  EXPECT_EQ(metrics.failure_count(), 0);
  EXPECT_EQ(metrics.error_count(), 0);
  EXPECT_EQ(metrics.active_task_count(), 0);
  EXPECT_TRUE(metrics.calls().empty());
}

TEST(MockEventMetrics, EachCallRaisesItsOwnCountOnly) {
  MockEventMetrics metrics;
  metrics.record_delivery_success(hook, 1ms);
  for (int i = 0; i < 2; ++i) metrics.record_delivery_failure(hook, 500);
  for (int i = 0; i < 3; ++i) metrics.record_delivery_error(hook);
  for (int i = 0; i < 5; ++i) metrics.increment_active_tasks();
  metrics.decrement_active_tasks();
  EXPECT_EQ(metrics.success_count(), 1);
  EXPECT_EQ(metrics.failure_count(), 2);
  EXPECT_EQ(metrics.error_count(), 3);
  EXPECT_EQ(metrics.active_task_count(), 4);
}

TEST(MockEventMetrics, ActiveTaskCountShowsADecrementWithoutIncrement) {
  MockEventMetrics metrics;
  metrics.decrement_active_tasks();
  EXPECT_EQ(metrics.active_task_count(), -1);
}

TEST(MockEventMetrics, KeepsCallsInOrderWithTheirArguments) {
  MockEventMetrics metrics;
  metrics.increment_active_tasks();
  metrics.record_delivery_success("https://a.example.com/1", 12345678ns);
  metrics.record_delivery_failure("https://b.example.com/2", 503);
  metrics.record_delivery_error("https://c.example.com/3");
  metrics.decrement_active_tasks();

  const std::vector<MockEventMetrics::Call> expected{
      {Kind::increment_active_tasks},
      {.kind = Kind::success, .endpoint_url = "https://a.example.com/1", .duration = 12345678ns},
      {.kind = Kind::failure, .endpoint_url = "https://b.example.com/2", .status_code = 503},
      {.kind = Kind::error, .endpoint_url = "https://c.example.com/3"},
      {Kind::decrement_active_tasks},
  };
  EXPECT_EQ(metrics.calls(), expected);
}

TEST(MockEventMetrics, KeepsItsOwnCopyOfTheUrl) {
  MockEventMetrics metrics;
  {
    std::string url{hook};
    metrics.record_delivery_error(url);
    url.assign(url.size(), 'x');
  }
  EXPECT_EQ(metrics.calls().front().endpoint_url, hook);
}

TEST(MockEventMetrics, ResetForgetsEverything) {
  MockEventMetrics metrics;
  metrics.record_delivery_success(hook, 1ms);
  metrics.record_delivery_failure(hook, 500);
  metrics.record_delivery_error(hook);
  metrics.increment_active_tasks();
  metrics.reset();
  EXPECT_EQ(metrics.success_count(), 0);
  EXPECT_EQ(metrics.failure_count(), 0);
  EXPECT_EQ(metrics.error_count(), 0);
  EXPECT_EQ(metrics.active_task_count(), 0);
  EXPECT_TRUE(metrics.calls().empty());
}

TEST(MockEventMetrics, CountsEveryCallOfManyThreads) {
  constexpr int threads = 4;
  constexpr int rounds = 500;
  MockEventMetrics metrics;
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back([&metrics] {
      for (int n = 0; n < rounds; ++n) {
        const ActiveTask task{metrics};
        metrics.record_delivery_success(hook, 1ms);
        metrics.record_delivery_failure(hook, 500);
        metrics.record_delivery_error(hook);
      }
    });
  }
  while (metrics.success_count() < threads * rounds) {
    EXPECT_GE(metrics.active_task_count(), 0);
    EXPECT_LE(metrics.active_task_count(), threads);
  }
  for (std::thread& worker : workers) worker.join();

  EXPECT_EQ(metrics.success_count(), threads * rounds);
  EXPECT_EQ(metrics.failure_count(), threads * rounds);
  EXPECT_EQ(metrics.error_count(), threads * rounds);
  EXPECT_EQ(metrics.active_task_count(), 0);
  EXPECT_EQ(metrics.calls().size(), 5U * threads * rounds);
}

}  // namespace
}  // namespace event_metrics
