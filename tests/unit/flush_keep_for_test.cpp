// What Options::keep_for gives up, and when, while no agent listens.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "support/agent.hpp"
#include "unit/flush_rig.hpp"

namespace event_metrics {
namespace {

/// A flush every second, from the first one on, to an agent that is gone.
struct Outage {
  Outage() { (void)second(0); }

  statsd::Stats second(int at) {
    (void)rig.flush->burst(start + std::chrono::seconds{at}, Urgency::routine);
    return rig.flush->stats();
  }

  std::string address = support::Agent{}.address();
  Rig rig{statsd::Agent::plain, address, {.keep_for = 10s}};
  const Clock::time_point start = Clock::now() + 1s;
};

// A probe carries what was recorded meanwhile too. Refused, that is as young as before.
TEST(FlushKeepFor, KeepsWhatIsYoungThoughAProbeHasCarriedIt) {
  Outage outage;
  Rig& rig = outage.rig;
  rig.recorder.failed(url);
  for (int at = 1; at <= 2; ++at) EXPECT_EQ(outage.second(at).owed, 1u) << at;
  rig.recorder.failed(url);
  for (int at = 3; at <= 4; ++at) EXPECT_EQ(outage.second(at).owed, 2u) << at;
  statsd::Stats stats = outage.second(5);
  EXPECT_GE(stats.datagrams_refused, 4u);
  EXPECT_EQ(stats.expired, 1u);
  EXPECT_EQ(stats.owed, 1u);
  for (int at = 6; at <= 11; ++at) stats = outage.second(at);
  EXPECT_EQ(stats.expired, 2u);
  EXPECT_EQ(stats.owed, 0u);
}

TEST(FlushKeepFor, GivesUpWhatIsOlderThanItIsToBeKept) {
  Outage outage;
  Rig& rig = outage.rig;
  rig.succeed(3, 12, 0);
  rig.recorder.failed(url);
  for (int at = 1; at <= 4; ++at) EXPECT_EQ(outage.second(at).owed, 4u) << at;
  rig.succeed(1, 13, 0);
  std::uint64_t most_kept = 0;
  for (int at = 5; at < 14; ++at) {
    const statsd::Stats stats = outage.second(at);
    EXPECT_EQ(stats.recorded, 5u);
    EXPECT_EQ(stats.owed + stats.expired, 5u);
    EXPECT_EQ(stats.timings_owed + stats.timings_expired, 4u);
    if (stats.owed == 1) ++most_kept;
    EXPECT_LE(stats.oldest_owed, 10s) << at;
    EXPECT_GE(stats.expired, at >= 10 ? 4u : 0u) << at;
  }
  EXPECT_GE(most_kept, 3u);
  const statsd::Stats stats = outage.second(15);
  EXPECT_EQ(stats.expired, 5u);
  EXPECT_EQ(stats.timings_expired, 4u);
  EXPECT_EQ(stats.oldest_owed, 0s);
  const support::Agent agent{support::Agent::Way::udp4, outage.address};
  rig.succeed(1, 14, 0);
  (void)outage.second(16);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.tally().counter("notification.delivery.attempts"), 1);
  EXPECT_EQ(agent.tally().timing_count("notification.delivery.duration"), 1u);
}

}  // namespace
}  // namespace event_metrics
