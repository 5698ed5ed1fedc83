// Memory runs out at every single point of starting and of flushing: what is not sent then is sent later.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/allocations.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Tally;

statsd::Options options(const std::string& address) {
  return {.agent = statsd::Agent::datadog,
          .address = address,
          .tags = {{"service", "a name that is longer than a string without memory of its own"}},
          .own_thread = false,
          .on_error = [](std::string_view) {}};
}

std::string url(int i) { return "https://" + std::string(60, 'a') + std::to_string(i) + ".example.com/T0"; }

/// Runs `work` again and again on this thread, with one allocation more that succeeds each time, until none fails.
/// Returns how often one failed.
template <class Work>
int with_every_failure(Work work) {
  for (int failure = 0;; ++failure) {
    support::allocations_until_failure = failure;
    work(failure);
    const bool failed = support::allocations_until_failure == -1;
    support::allocations_until_failure = -1;
    if (!failed) return failure;
  }
}

TEST(AllocationFailure, KeepsWhatIsOwedWhenAFlushFindsNoMemory) {
  const Agent agent{Agent::Way::unix_datagram};
  std::int64_t calls = 0;
  std::uint64_t durations = 0;
  // A client for each failure, since one that has everything allocates no more.
  const int failures = with_every_failure([&](int i) {
    const long left = std::exchange(support::allocations_until_failure, -1);
    StatsdEventMetrics metrics{options(agent.address())};
    for (int ms = 0; ms < 200; ++ms) {
      metrics.record_delivery_success(url(ms % 3), 1ms * ms);
      metrics.record_delivery_failure(url(i), 503);
      calls += 2;
      ++durations;
    }
    support::allocations_until_failure = left;
    (void)metrics.flush(0ms);
    const long after = std::exchange(support::allocations_until_failure, -1);
    EXPECT_TRUE(metrics.flush(10s)) << i;
    const statsd::Stats stats = metrics.stats();
    EXPECT_EQ(stats.recorded, 400u) << i;
    EXPECT_EQ(stats.accepted, 400u) << i;
    EXPECT_EQ(stats.timings_accepted, 200u) << i;
    support::allocations_until_failure = after;
  });
  EXPECT_GT(failures, 10);
  EXPECT_TRUE(agent.wait_for([&](const Tally& tally) {
    return tally.counter_sum("notification.delivery.attempts") == calls &&
           tally.timing_count_sum("notification.delivery.duration") == durations;
  }));
}

TEST(AllocationFailure, OfTheConstructorThrowsAndLeavesNothing) {
  const Agent agent{Agent::Way::unix_datagram};
  const statsd::Options given = options(agent.address());
  const int failures = with_every_failure([&](int i) {
    const long left = std::exchange(support::allocations_until_failure, -1);
    std::unique_ptr<StatsdEventMetrics> metrics;
    statsd::Options copy = given;
    support::allocations_until_failure = left;
    try {
      metrics = std::make_unique<StatsdEventMetrics>(std::move(copy));
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(support::allocations_until_failure, -1) << i;
    }
    const long after = std::exchange(support::allocations_until_failure, -1);
    metrics.reset();
    support::allocations_until_failure = after;
  });
  EXPECT_GT(failures, 10);
}

}  // namespace
