// The agent is known by a name: whatever the resolver does, calls, flushes and the end come in time, and what was
// recorded arrives where the name leads.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/names.hpp"
#include "support/process.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Names;
using support::Tally;

const std::string attempts = "notification.delivery.attempts#endpoint:a.io";

std::string named(const std::string& name, const std::string& address) {
  return "udp://" + name + address.substr(address.rfind(':'));
}
std::string host(const Agent& agent) {
  const std::string address = agent.address().substr(std::string{"udp://"}.size());
  return address.substr(0, address.rfind(':'));
}

statsd::Options options(const std::string& address) {
  return {
      .agent = statsd::Agent::datadog, .address = address, .flush_interval = 5ms, .on_error = [](std::string_view) {}};
}

void record(StatsdEventMetrics& metrics, int times) {
  for (int i = 0; i < times; ++i) metrics.record_delivery_success("https://a.io/", 1ms * i);
}

// Until a look-up of `name` has begun for the `times`th time. Something has to go wrong for that.
void record_until_asked(StatsdEventMetrics& metrics, const std::string& name, int times, std::int64_t& recorded) {
  while (Names::instance().asked(name) < times) {
    record(metrics, 1);
    ++recorded;
    (void)metrics.flush(10ms);
  }
}

// Short programs inside a long one, while the name servers are away.
TEST(HostName, ThatHangsKeepsEightThreadsOfAProcessHoweverManyClientsComeAndGo) {
  int most = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "nobody-" + std::to_string(i) + ".test";
    Names::instance().hang(name);
    statsd::Options hanging = options("udp://" + name + ":8125");
    hanging.close_timeout = 0ms;
    StatsdEventMetrics metrics{hanging};
    record(metrics, 1);
    EXPECT_FALSE(metrics.flush(0ms));
    most = std::max(most, support::look_up_threads());
  }
  EXPECT_EQ(most, 8);
  for (int i = 0; i < 300; ++i) Names::instance().fail("nobody-" + std::to_string(i) + ".test", EAI_NONAME);
  EXPECT_TRUE(support::eventually([] { return support::look_up_threads() == 0; }));
}

// This resolver never answers, so a call, a flush or an end that waited for it would outlast the test's timeout, and so
// would the program's own end.
TEST(HostName, ThatHangsDelaysNothing) {
  Names::instance().hang("hangs.test");
  std::vector<std::string> messages;
  {
    statsd::Options hanging = options("udp://hangs.test:8125");
    hanging.on_error = [&](std::string_view message) { messages.emplace_back(message); };
    StatsdEventMetrics metrics{hanging};
    record(metrics, 100);
    EXPECT_FALSE(metrics.flush(50ms));
    EXPECT_EQ(metrics.stats().owed, 100u);
    EXPECT_EQ(metrics.stats().connect_errors, 0u);  // it may still answer
  }
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages.front().find("100 deliveries and 100 durations could not be sent"), std::string::npos);
}

TEST(HostName, ThatResolvesLateGetsWhatWasRecordedBefore) {
  const Agent agent;
  Names::instance().hang("late.test");
  StatsdEventMetrics metrics{options(named("late.test", agent.address()))};
  record(metrics, 100);
  EXPECT_FALSE(metrics.flush(20ms));
  Names::instance().answer("late.test", {host(agent)});
  ASSERT_TRUE(metrics.flush(30s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 100; }));
}

TEST(HostName, ThatFailsAtFirstGetsWhatWasRecordedBefore) {
  const Agent agent;
  Names::instance().fail("fails.test", EAI_AGAIN);
  StatsdEventMetrics metrics{options(named("fails.test", agent.address()))};
  record(metrics, 100);
  while (metrics.stats().connect_errors == 0) EXPECT_FALSE(metrics.flush(20ms));
  Names::instance().answer("fails.test", {host(agent)});
  ASSERT_TRUE(metrics.flush(30s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 100; }));
}

TEST(HostName, ThatHangsTheSecondTimeLeadsToTheOldAddress) {
  auto agent = std::make_unique<Agent>();
  const std::string address = agent->address();
  Names::instance().answer("second.test", {host(*agent)});
  StatsdEventMetrics metrics{options(named("second.test", address))};
  record(metrics, 1);
  ASSERT_TRUE(metrics.flush(30s));
  agent.reset();
  Names::instance().hang("second.test");
  std::int64_t recorded = 0;
  record_until_asked(metrics, "second.test", 2, recorded);
  const Agent back{Agent::Way::udp4, address};
  ASSERT_TRUE(metrics.flush(30s));
  EXPECT_TRUE(back.wait_for([&](const Tally& tally) { return tally.counter(attempts) == recorded; }));
}

// What was accepted under the old address arrives there, the rest under the new one.
TEST(HostName, ThatMovesIsFollowed) {
  auto old = std::make_unique<Agent>();
  const std::string address = old->address();
  Names::instance().answer("moves.test", {host(*old)});
  StatsdEventMetrics metrics{options(named("moves.test", address))};
  record(metrics, 1);
  ASSERT_TRUE(metrics.flush(30s));
  old.reset();
  record(metrics, 1);
  EXPECT_FALSE(metrics.flush(20ms));  // refused, so that the name is looked up before its minute is over
  old = std::make_unique<Agent>(Agent::Way::udp4, address);
  const Agent now{Agent::Way::localhost, address};
  Names::instance().answer("moves.test", {host(now)});
  std::int64_t recorded = 1;
  while (now.datagrams().empty()) {
    record(metrics, 1);
    ++recorded;
    ASSERT_TRUE(metrics.flush(30s));
  }
  EXPECT_TRUE(
      support::eventually([&] { return now.tally().counter(attempts) + old->tally().counter(attempts) >= recorded; }));
  EXPECT_EQ(now.tally().counter(attempts) + old->tally().counter(attempts), recorded);
  EXPECT_GT(old->tally().counter(attempts), 0);
}

}  // namespace
