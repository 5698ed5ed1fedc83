// More durations than can be sent: what leaves, and for how long the rest is owed. The tests say what time it is, and
// nothing waits.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "flush_rig.hpp"
#include "support/agent.hpp"
#include "support/silent_agent.hpp"

namespace event_metrics {
namespace {

constexpr std::size_t limit = 300;
constexpr std::uint64_t lines_per_turn = 100 * 16 * 7;  // seven of 41 bytes in each datagram

/// A service that records at an even pace, and what its client makes of it.
struct Service {
  Service(statsd::Agent agent, const std::string& address, std::chrono::seconds keep_for = 0s)
      : rig{agent, address, {.limit = limit, .by_endpoint = false, .keep_for = keep_for}} {}

  /// An interval, with so many deliveries in the course of it.
  void live(std::uint64_t deliveries) {
    constexpr int steps = 100;
    for (int step = 0; step < steps; ++step) {
      for (std::uint64_t i = deliveries * static_cast<std::uint64_t>(step) / steps;
           i < deliveries * (static_cast<std::uint64_t>(step) + 1) / steps; ++i) {
        rig.recorder.success(url, std::chrono::milliseconds{random() % 1000});
      }
      now += 10ms;
      if (step % 10 == 0) (void)rig.flush->tend(now);
      (void)rig.flush->burst(now, Urgency::routine);
      oldest = std::max(oldest, rig.flush->stats().oldest_owed);
    }
  }

  Rig rig;
  std::minstd_rand random{};
  Clock::time_point now = Clock::now() + 1s;
  std::chrono::nanoseconds oldest{};
};

/// At so many times what the agent can be sent, when each line has all the weight that it can have.
void expect_all_to_leave_in_time(statsd::Agent agent, std::uint64_t weight, double load) {
  const support::SilentAgent silent;
  Service service{agent, silent.address()};
  const auto deliveries = static_cast<std::uint64_t>(load * static_cast<double>(lines_per_turn * weight));
  constexpr int intervals = 25;
  for (int interval = 0; interval < intervals; ++interval) {
    service.live(deliveries);
    EXPECT_LT(service.rig.flush->stats().owed, 3 * deliveries) << "counters go first";
  }
  service.live(0);  // the last of them are folded by then, whenever turns begin
  EXPECT_LT(service.oldest, 12s) << static_cast<int>(agent) << ", load " << load;
  EXPECT_GT(service.oldest, 3s) << static_cast<int>(agent) << ", load " << load;
  const statsd::Stats stats = service.rig.flush->stats();
  EXPECT_EQ(stats.expired + stats.timings_expired, 0u);
  EXPECT_EQ(stats.recorded, intervals * deliveries);
  EXPECT_EQ(stats.timings_recorded, stats.timings_accepted + stats.left_out + stats.timings_owed);
  EXPECT_TRUE(agent != statsd::Agent::plain || stats.left_out > 0);
  EXPECT_TRUE(agent != statsd::Agent::etsy || stats.left_out == 0);  // whose counts are weighed
}

TEST(FlushOverload, OwesNothingForTwelveIntervals) {
  expect_all_to_leave_in_time(statsd::Agent::plain, 1, 1.5);
  expect_all_to_leave_in_time(statsd::Agent::plain, 1, 4);
  expect_all_to_leave_in_time(statsd::Agent::plain, 1, 12);
  expect_all_to_leave_in_time(statsd::Agent::etsy, 1, 4);
  expect_all_to_leave_in_time(statsd::Agent::telegraf, 10, 1.5);
  expect_all_to_leave_in_time(statsd::Agent::telegraf, 10, 4);
}

TEST(FlushOverload, LeavesNothingOutOfABurstThatTenIntervalsCarry) {
  const support::SilentAgent silent;
  Service service{statsd::Agent::plain, silent.address()};
  service.live(0);
  service.live(9 * lines_per_turn);
  for (int interval = 0; interval < 10; ++interval) service.live(0);
  const statsd::Stats stats = service.rig.flush->stats();
  EXPECT_EQ(stats.timings_accepted, 9 * lines_per_turn);
  EXPECT_EQ(stats.left_out, 0u);
}

TEST(FlushOverload, LeavesNothingOutOfWhatAnOutageHeldUp) {
  std::string address;
  { address = support::Agent{}.address(); }
  Service service{statsd::Agent::plain, address};
  for (int interval = 0; interval < 40; ++interval) service.live(lines_per_turn / 5);
  EXPECT_GT(service.oldest, 35s);
  const support::Agent agent{support::Agent::Way::udp4, address};
  for (int interval = 0; interval < 11; ++interval) service.live(0);
  const statsd::Stats stats = service.rig.flush->stats();
  EXPECT_EQ(stats.timings_accepted, 8 * lines_per_turn);
  EXPECT_EQ(stats.left_out, 0u);
}

// What is given up would have been told, less exactly, had it been merged in time.
TEST(FlushOverload, MergesInTimeForKeepFor) {
  const support::SilentAgent silent;
  Service service{statsd::Agent::plain, silent.address(), 10s};
  for (int interval = 0; interval < 30; ++interval) service.live(4 * lines_per_turn);
  const statsd::Stats stats = service.rig.flush->stats();
  EXPECT_EQ(stats.timings_expired, 0u);
  EXPECT_GT(stats.left_out, 0u);
}

}  // namespace
}  // namespace event_metrics
