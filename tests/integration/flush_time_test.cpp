// A flush and the end of a client come back as soon as what was owed has arrived, whatever turn came before, however
// long the interval is.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using support::Agent;
using support::Tally;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";
constexpr int flushes = 100;

std::unique_ptr<StatsdEventMetrics> client(const Agent& agent, bool own_thread) {
  return std::make_unique<StatsdEventMetrics>(statsd::Options{.agent = statsd::Agent::datadog,
                                                              .address = agent.address(),
                                                              .flush_interval = 60s,
                                                              .close_timeout = 30s,
                                                              .own_thread = own_thread,
                                                              .on_error = [](std::string_view) {}});
}

// Before each flush one that does not wait, whose datagrams have not settled when the next one begins.
void end_when_all_has_arrived(Agent::Way way) {
  for (const bool own_thread : {true, false}) {
    const Agent agent{way};
    std::unique_ptr<StatsdEventMetrics> metrics = client(agent, own_thread);
    for (int i = 0; i < flushes; ++i) {
      metrics->record_delivery_error(url);
      (void)metrics->flush(0ms);
      metrics->record_delivery_error(url);
      const Clock::time_point begun = Clock::now();
      EXPECT_TRUE(metrics->flush(30s)) << i;
      EXPECT_LT(Clock::now() - begun, 1s) << i;
    }
    EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 2 * flushes; }));
    metrics->record_delivery_error(url);
    (void)metrics->flush(0ms);
    metrics->record_delivery_error(url);
    const Clock::time_point begun = Clock::now();
    metrics.reset();
    EXPECT_LT(Clock::now() - begun, 1s);
    EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 2 * flushes + 2; }));
  }
}

TEST(FlushTime, IsThatOfTheWayOverUdp) { end_when_all_has_arrived(Agent::Way::udp4); }
TEST(FlushTime, IsThatOfTheWayOverIpv6) { end_when_all_has_arrived(Agent::Way::udp6); }
TEST(FlushTime, IsThatOfTheWayOverAUnixSocket) { end_when_all_has_arrived(Agent::Way::unix_datagram); }

}  // namespace
