// The agent goes away and comes back while deliveries are recorded: nothing is lost and nothing is counted twice.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Tally;

// Agents that leave read their socket to the end only while nobody sends, so each leaves after a flush was accepted.
void outage(Agent::Way way) {
  std::string address;
  { address = Agent{way}.address(); }
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = address, .flush_interval = 5ms, .on_error = [](std::string_view) {
       }}};
  std::int64_t received = 0;
  std::uint64_t timed = 0;
  std::int64_t recorded = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 500; ++i, ++recorded) metrics.record_delivery_success("https://a.io/", 1ms * i);
    EXPECT_FALSE(metrics.flush(30ms));  // nobody listens
    while (metrics.stats().owed < 500) (void)metrics.flush(10ms);
    EXPECT_EQ(metrics.stats().owed, 500u);

    const Agent agent{way, address};
    ASSERT_TRUE(metrics.flush(20s));
    ASSERT_TRUE(agent.wait_for([&](const Tally& tally) {
      return received + tally.counter("notification.delivery.attempts#endpoint:a.io") >= recorded &&
             timed + tally.timing_count("notification.delivery.duration#endpoint:a.io") >=
                 static_cast<std::uint64_t>(recorded);
    }));
    const Tally tally = agent.tally();
    received += tally.counter("notification.delivery.attempts#endpoint:a.io");
    timed += tally.timing_count("notification.delivery.duration#endpoint:a.io");
    EXPECT_EQ(received, recorded);
    EXPECT_EQ(timed, static_cast<std::uint64_t>(recorded));
  }
}

TEST(Outage, LosesAndDoublesNothingOverUdpIpv4) { outage(Agent::Way::udp4); }
TEST(Outage, LosesAndDoublesNothingOverUdpIpv6) { outage(Agent::Way::udp6); }
TEST(Outage, LosesAndDoublesNothingOverUnixDatagram) { outage(Agent::Way::unix_datagram); }

}  // namespace
