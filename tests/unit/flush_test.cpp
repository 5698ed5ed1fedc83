#include "client/flush.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/agent.hpp"
#include "unit/flush_rig.hpp"

namespace event_metrics {
namespace {

std::string text(const support::Agent& agent) {
  std::string all;
  for (const std::string& datagram : agent.datagrams()) all += datagram + "\n";
  return all;
}

TEST(Flush, SendsAllThreeCountersFirstAndThenThoseThatChanged) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address()};
  rig.recorder.success(url, 12ms);
  ASSERT_TRUE(rig.settle());
  rig.recorder.failed(url);
  ASSERT_TRUE(rig.settle());
  ASSERT_TRUE(agent.wait_for_datagrams(2));
  EXPECT_EQ(text(agent),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:1|c|#endpoint:hooks.example.com\n"
            "notification.delivery.successes:1|c|#endpoint:hooks.example.com\n"
            "notification.delivery.failures:0|c|#endpoint:hooks.example.com\n"
            "notification.delivery.duration:12|ms|#endpoint:hooks.example.com\n"
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:1|c|#endpoint:hooks.example.com\n"
            "notification.delivery.failures:1|c|#endpoint:hooks.example.com\n");
}

TEST(Flush, SendsEqualTimingsAsOneLineOnlyToAnAgentThatWeighsThem) {
  const support::Agent weighing;
  Rig datadog{statsd::Agent::datadog, weighing.address()};
  datadog.succeed(50, 12, 0);
  ASSERT_TRUE(datadog.settle());
  ASSERT_TRUE(weighing.wait_for_datagrams(1));
  EXPECT_EQ(text(weighing),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:50|c|#endpoint:hooks.example.com\n"
            "notification.delivery.successes:50|c|#endpoint:hooks.example.com\n"
            "notification.delivery.failures:0|c|#endpoint:hooks.example.com\n"
            "notification.delivery.duration:12|ms|@0.02|#endpoint:hooks.example.com\n");

  const support::Agent counting;
  Rig plain{statsd::Agent::plain, counting.address()};
  plain.succeed(3, 12, 0);
  ASSERT_TRUE(plain.settle());
  ASSERT_TRUE(counting.wait_for_datagrams(1));
  EXPECT_EQ(text(counting),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:3|c\n"
            "notification.delivery.successes:3|c\n"
            "notification.delivery.failures:0|c\n"
            "notification.delivery.duration:12|ms\n"
            "notification.delivery.duration:12|ms\n"
            "notification.delivery.duration:12|ms\n");
}

TEST(Flush, SaysANegativeGaugeAsZeroAndDifferenceWhereASignMeansADelta) {
  const support::Agent agent;
  Rig rig{statsd::Agent::etsy, agent.address()};
  rig.recorder.active_task(-1);
  rig.recorder.active_task(-1);
  ASSERT_TRUE(rig.settle());
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(text(agent), "notification.active_tasks:0|g\nnotification.active_tasks:-2|g\n");
}

TEST(Flush, SendsTheGaugeEveryTurnAndInAChildOnlyAfterItsFirstTask) {
  const support::Agent agent;
  Rig child{statsd::Agent::datadog, agent.address(), {.in_child = true}};
  ASSERT_TRUE(child.settle());
  EXPECT_EQ(child.flush->stats().datagrams_accepted, 0u);
  child.recorder.active_task(1);
  child.recorder.active_task(-1);
  ASSERT_TRUE(child.settle());
  ASSERT_TRUE(child.settle());
  ASSERT_TRUE(agent.wait_for_datagrams(2));
  EXPECT_EQ(text(agent), "notification.active_tasks:0|g\nnotification.active_tasks:0|g\n");
}

TEST(Flush, SendsSixteenDatagramsAtOnceAndThenPauses) {
  const support::Agent agent;
  Rig rig{statsd::Agent::plain, agent.address(), {.limit = 300}};
  rig.succeed(1000, 0, 1);
  const Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  const Flush::Outcome first = rig.flush->burst(now, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 16u);
  EXPECT_LT(first.accepted_until, now);
  EXPECT_EQ(first.next, now + 10ms);
  (void)rig.flush->burst(now + 9ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 16u);
  (void)rig.flush->burst(now + 10ms, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 32u);
}

TEST(Flush, SendsNoMoreBytesAtOnceInLargerDatagrams) {
  const support::Agent agent;
  Rig rig{statsd::Agent::etsy, agent.address(), {.limit = 8192}};
  rig.succeed(4000, 0, 1);
  rig.flush->begin_turn(Clock::now());
  (void)rig.flush->burst(Clock::now(), Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 3u);  // 22,912 bytes are in the third
}

TEST(Flush, KeepsEveryDatagramWithinItsLimitAndLosesNothing) {
  const support::Agent agent;
  Rig rig{statsd::Agent::plain, agent.address(), {.limit = 300}};
  rig.succeed(2000, 0, 1);
  ASSERT_TRUE(rig.settle());
  ASSERT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.timing_count("notification.delivery.duration") == 2000; }));
  for (const std::string& datagram : agent.datagrams()) EXPECT_LE(datagram.size(), 300u);
  EXPECT_TRUE(agent.tally().malformed.empty());
}

TEST(Flush, TellsTelegrafAtMostTenTimingsALineInAnOrderThatChanges) {
  const support::Agent agent;
  Rig rig{statsd::Agent::telegraf, agent.address()};
  std::vector<std::string> turns;
  for (int turn = 0; turn < 2; ++turn) {
    for (int i = 0; i < 25; ++i) rig.succeed(8, 100, 1);
    ASSERT_TRUE(rig.settle());
    ASSERT_TRUE(agent.wait_for([&](const support::Tally& tally) {
      return tally.timing_count_sum("notification.delivery.duration") == 200u * (static_cast<unsigned>(turn) + 1);
    }));
    std::string timings = text(agent);
    timings.erase(0, timings.find("notification.delivery.duration", turn == 0 ? 0 : turns[0].size()));
    turns.push_back(text(agent));
    EXPECT_EQ(timings.find("|@0.0"), std::string::npos);  // 25 equal ones are 9, 8 and 8
    EXPECT_NE(timings.find("|@0.125|"), std::string::npos);
  }
  const auto order = [](const std::string& lines) {
    std::string values;
    for (std::size_t at = 0; (at = lines.find("duration:", at)) != std::string::npos;)
      values += lines.substr(at += 9, 3);
    return values;
  };
  const std::string first = order(turns[0]);
  const std::string second = order(turns[1].substr(turns[0].size()));
  EXPECT_EQ(first.size(), second.size());
  EXPECT_NE(first, second);
}

TEST(Flush, OwesAgainWhatWasRefusedAndProbesWithOneDatagram) {
  std::string address;
  { address = support::Agent{}.address(); }
  Rig rig{statsd::Agent::plain, address, {.limit = 300}};
  rig.succeed(1000, 0, 1);
  const Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  const Flush::Outcome refused = rig.flush->burst(now, Urgency::routine);
  EXPECT_GT(refused.next, now + 500ms);  // a routine caller comes back with the next turn
  statsd::Stats stats = rig.flush->stats();
  EXPECT_EQ(stats.owed, 1000u);
  EXPECT_EQ(stats.timings_owed, 1000u);
  EXPECT_EQ(stats.datagrams_accepted, 0u);
  EXPECT_EQ(stats.bytes_accepted, 0u);
  const std::uint64_t refused_once = stats.datagrams_refused;
  EXPECT_GE(refused_once, 1u);

  (void)rig.flush->burst(now + 5ms, Urgency::urgent);  // not before 10 ms
  EXPECT_EQ(rig.flush->stats().datagrams_refused, refused_once);
  (void)rig.flush->burst(now + 10ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().datagrams_refused, refused_once + 1);
  EXPECT_EQ(rig.flush->stats().owed, 1000u);
  EXPECT_EQ(rig.flush->report().take().size(), 1u);  // told once
}

TEST(Flush, SendsOneDatagramToSeeWhetherTheAgentIsBackAndThenTheRest) {
  std::string address;
  { address = support::Agent{}.address(); }
  Rig rig{statsd::Agent::plain, address, {.limit = 300}};
  rig.succeed(1000, 0, 1);
  const Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  (void)rig.flush->burst(now, Urgency::urgent);
  ASSERT_EQ(rig.flush->stats().datagrams_accepted, 0u);
  const support::Agent agent{support::Agent::Way::udp4, address};
  (void)rig.flush->burst(now + 10ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 1u);
  ASSERT_TRUE(rig.settle());
  EXPECT_EQ(rig.flush->stats().timings_accepted, 1000u);
}

TEST(Flush, IsNotSureOfADatagramBeforeARefusalCouldHaveCome) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address()};
  rig.recorder.success(url, 12ms);
  const Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  const Flush::Outcome sent = rig.flush->burst(now, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().owed, 0u);
  EXPECT_LT(sent.accepted_until, now);
  EXPECT_GE(sent.next, now + 2ms);
  EXPECT_GE(rig.flush->burst(sent.next, Urgency::urgent).accepted_until, now);
}

// That turn's drain has nobody who waits for it; it ends in the flush, which must not take it for its own.
TEST(Flush, IsSureOfWhatIsSentSomeTimeAfterATurn) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address()};
  rig.recorder.success(url, 12ms);
  const Clock::time_point turn = Clock::now();
  rig.flush->begin_turn(turn);
  (void)rig.flush->burst(turn, Urgency::routine);
  rig.recorder.success(url, 12ms);
  const Clock::time_point later = turn + 70ms;
  rig.flush->begin_turn(later);
  const Flush::Outcome sent = rig.flush->burst(later, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().owed, 0u);
  EXPECT_TRUE(sent.accepted_until == later || sent.next <= later + 5ms);
  EXPECT_EQ(rig.flush->burst(later + 5ms, Urgency::urgent).accepted_until, later);
}

TEST(Flush, SendsWhatItOwesWhenAnAgentAppears) {
  auto first = std::make_unique<support::Agent>(support::Agent::Way::unix_datagram);
  const std::string address = first->address();
  first.reset();
  Rig rig{statsd::Agent::datadog, address, {.limit = 8192}};
  rig.recorder.success(url, 12ms);
  const Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  (void)rig.flush->burst(now, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 1u);
  const support::Agent agent{support::Agent::Way::unix_datagram, address};
  ASSERT_TRUE(rig.settle());
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.counter_sum("notification.delivery.attempts") == 1; }));
}

TEST(Flush, KeepsWhatAFullUnixSocketDoesNotTake) {
  support::Agent agent{support::Agent::Way::unix_datagram};
  agent.stop();
  Rig rig{statsd::Agent::plain, agent.address(), {.limit = 300}};
  rig.succeed(3000, 0, 1);
  Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  for (int i = 0; i < 1000 && rig.flush->stats().datagrams_delayed == 0; ++i) {
    now = rig.flush->burst(now, Urgency::urgent).next;
  }
  EXPECT_GE(rig.flush->stats().datagrams_delayed, 1u);
  EXPECT_GT(rig.flush->stats().timings_owed, 0u);
  agent.start();
  ASSERT_TRUE(rig.settle());
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.timing_count("notification.delivery.duration") == 3000; }));
}

TEST(Flush, LosesNothingWhereDatagramsBeginAlike) {
  const support::Agent agent;
  Rig rig{statsd::Agent::plain, agent.address()};
  rig.succeed(500, 12, 0);  // equal lines: the first 520 bytes of the datagrams are equal, their lengths are not
  ASSERT_TRUE(rig.settle());
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.timing_count("notification.delivery.duration") == 500; }));
  EXPECT_EQ(rig.flush->stats().timings_accepted, 500u);
}

TEST(Flush, CountsMoreEndpointsThanItHasLabelsForAsOtherAndSaysSo) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address()};
  for (int i = 0; i < 12; ++i) rig.recorder.failed("https://host" + std::to_string(i) + "/");
  ASSERT_TRUE(rig.settle());
  ASSERT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.counter_sum("notification.delivery.attempts") == 12; }));
  EXPECT_EQ(agent.tally().counter("notification.delivery.attempts#endpoint:other"), 2);
  EXPECT_EQ(rig.flush->stats().endpoints, 10u);
  EXPECT_EQ(rig.flush->stats().other, 2u);
  EXPECT_EQ(rig.flush->report().take().size(), 1u);
}

TEST(Flush, LetsDurationsOutWhereCountersFillEveryDatagram) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address(), {.limit = 400, .endpoints = 100}};
  for (int i = 0; i < 100; ++i) rig.recorder.success("https://host" + std::to_string(i) + "/", 12ms);
  rig.flush->begin_turn(Clock::now());
  (void)rig.flush->burst(Clock::now(), Urgency::routine);
  const statsd::Stats stats = rig.flush->stats();
  EXPECT_EQ(stats.datagrams_accepted, 16u);
  EXPECT_GT(stats.owed, 50u);
  EXPECT_GT(stats.timings_accepted, 20u);
}

TEST(Flush, BeginsATurnOnceAnInterval) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address()};
  const Clock::time_point start = Clock::now();
  EXPECT_LE(rig.flush->burst(start, Urgency::routine).accepted_until, start);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 0u);
  (void)rig.flush->burst(start + 1s, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 1u);
  (void)rig.flush->burst(start + 1500ms, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 1u);
  (void)rig.flush->burst(start + 2100ms, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 2u);
  const Flush::Outcome late = rig.flush->burst(start + 10s, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_accepted, 3u);  // one turn for those that were missed
  EXPECT_GT(late.next, start + 10s);
}

TEST(Flush, TellsOfTheClientItselfEveryTenSecondsWhenAskedTo) {
  const support::Agent agent;
  Rig rig{statsd::Agent::datadog, agent.address(), {.telemetry_suffix = "|#client:cpp"}};
  rig.recorder.success(url, 12ms);
  rig.recorder.failed(url);
  const Clock::time_point start = Clock::now() + 1s;
  for (int second = 0; second <= 25; ++second) {
    (void)rig.flush->burst(start + std::chrono::seconds{second}, Urgency::routine);
  }
  ASSERT_TRUE(agent.wait_for_datagrams(26));
  const support::Tally tally = agent.tally();
  EXPECT_EQ(tally.counter("datadog.dogstatsd.client.metrics#client:cpp"), 5);  // three of a success, two of a failure
  EXPECT_EQ(tally.counter("datadog.dogstatsd.client.packets_sent#client:cpp"), 20);  // before the turn that tells it
  std::size_t bytes = 0;
  const std::vector<std::string> datagrams = agent.datagrams();
  for (std::size_t i = 0; i < 20; ++i) bytes += datagrams[i].size();
  EXPECT_EQ(tally.counter("datadog.dogstatsd.client.bytes_sent#client:cpp"), static_cast<std::int64_t>(bytes));
  EXPECT_EQ(tally.counter("datadog.dogstatsd.client.metric_dropped_on_receive#client:cpp"), 0);
  EXPECT_NE(datagrams[10].find("datadog."), std::string::npos);
  EXPECT_EQ(datagrams[11].find("datadog."), std::string::npos);
}

TEST(Flush, HalvesADatagramThatTheWayCannotCarry) {
  const support::Agent agent;
  Rig rig{
      statsd::Agent::etsy, agent.address(), {.limit = 70'000}};  // more than UDP has; the options would have refused it
  rig.succeed(4096, 0, 1);
  ASSERT_TRUE(rig.settle());
  EXPECT_GE(rig.flush->stats().send_errors, 1u);
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.timing_count("notification.delivery.duration") == 4096; }));
}

}  // namespace
}  // namespace event_metrics
