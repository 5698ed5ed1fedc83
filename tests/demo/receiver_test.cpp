#include "demo/receiver.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace demo {
namespace {

using event_metrics::statsd::Agent;

Counts received(Agent agent, std::string_view datagram) {
  Receiver receiver{agent};
  receiver.read(datagram);
  return receiver.counts();
}

/// The reason for which one line is refused; empty if it is counted.
std::string refusal(Agent agent, std::string_view line) {
  const Counts counts = received(agent, line);
  if (counts.refused.empty()) return "";
  EXPECT_TRUE(counts.endpoints.empty());
  return counts.refused.front().substr(0, counts.refused.front().find(": "));
}

TEST(Receiver, CountsTheLinesOfADatagramByEndpoint) {
  const Counts counts = received(Agent::datadog,
                                 "notification.delivery.attempts:3|c|#endpoint:a.example\n"
                                 "notification.delivery.successes:2|c|#endpoint:a.example\n"
                                 "notification.delivery.failures:1|c|#endpoint:a.example\n"
                                 "notification.delivery.duration:12|ms|@0.5|#endpoint:a.example\n"
                                 "notification.delivery.attempts:1|c|#env:test,endpoint:b.example:81\n"
                                 "notification.active_tasks:0|g|#env:test\n");
  EXPECT_TRUE(counts.refused.empty());
  EXPECT_EQ(counts.endpoints.at("a.example"), (EndpointCounts{3, 2, 1, {{12, 2}}}));
  EXPECT_EQ(counts.endpoints.at("b.example:81"), (EndpointCounts{1, 0, 0, {}}));
  EXPECT_EQ(counts.active_tasks, 0);
}

TEST(Receiver, AddsOneDatagramToTheNext) {
  Receiver receiver{Agent::datadog};
  receiver.read("notification.delivery.attempts:3|c|#endpoint:a.example");
  receiver.read("notification.delivery.attempts:4|c|#endpoint:a.example");
  EXPECT_EQ(receiver.counts().endpoints.at("a.example").attempts, 7U);
}

TEST(Receiver, CutsOneByTheRateAsTheAgentsDo) {
  const auto weight = [](const std::string& rate) {
    const Counts counts =
        received(Agent::telegraf, "notification.delivery.duration:5|ms|@" + rate + "|#endpoint:a.example");
    return counts.endpoints.at("a.example").latencies.at(5);
  };
  EXPECT_EQ(weight("1"), 1U);
  EXPECT_EQ(weight("0.3333333333333333"), 3U);
  EXPECT_EQ(weight("0.334"), 2U);
  EXPECT_EQ(weight("0.000001"), 1'000'000U);
}

TEST(Receiver, SumsUpWithoutEndpointWhereTheAgentHasNoTags) {
  for (const Agent agent : {Agent::etsy, Agent::plain, Agent::collectd, Agent::netdata}) {
    const Counts counts = received(agent,
                                   "notification.delivery.attempts:3|c\n"
                                   "notification.delivery.attempts:1|c\n"
                                   "notification.delivery.duration:12|ms\n"
                                   "notification.delivery.duration:12|ms");
    EXPECT_EQ(counts.endpoints.at(""), (EndpointCounts{4, 0, 0, {{12, 2}}}));
    EXPECT_EQ(refusal(agent, "notification.delivery.attempts:3|c|#endpoint:a"), "this agent has no tags");
  }
}

TEST(Receiver, ReadsPrometheusNamesForItsExporterOnly) {
  const std::string_view line = "notification_delivery_attempts_total:3|c|#endpoint:a";
  EXPECT_EQ(received(Agent::statsd_exporter, line).endpoints.at("a").attempts, 3U);
  EXPECT_EQ(refusal(Agent::telegraf, line), "the name is unknown");
  EXPECT_EQ(refusal(Agent::statsd_exporter, "notification.delivery.attempts:3|c|#endpoint:a"), "the name is unknown");
}

TEST(Receiver, KeepsTheLastGauge) {
  EXPECT_EQ(received(Agent::datadog, "notification.active_tasks:3|g\nnotification.active_tasks:2|g").active_tasks, 2);
}

TEST(Receiver, TakesASignedGaugeForAChangeExceptAsDatadogAndGostatsd) {
  const std::string_view lines = "notification.active_tasks:3|g\nnotification.active_tasks:-2|g";
  for (const Agent agent : {Agent::datadog, Agent::gostatsd}) EXPECT_EQ(received(agent, lines).active_tasks, -2);
  for (const Agent agent :
       {Agent::telegraf, Agent::plain, Agent::collectd, Agent::netdata, Agent::cloudwatch, Agent::vector}) {
    EXPECT_EQ(received(agent, lines).active_tasks, 1);
  }
}

TEST(Receiver, RefusesRatesThatTheAgentMisreads) {
  for (const Agent agent : {Agent::graphite, Agent::etsy, Agent::plain, Agent::collectd, Agent::gostatsd}) {
    EXPECT_EQ(refusal(agent, "notification.delivery.duration:5|ms|@0.5"), "a rate is misread here");
  }
  EXPECT_EQ(refusal(Agent::netdata, "notification.delivery.duration:5|ms|@0.01"), "");
  EXPECT_EQ(refusal(Agent::netdata, "notification.delivery.duration:5|ms|@0.005"),
            "the rate is below what this agent reads");
  EXPECT_EQ(refusal(Agent::datadog, "notification.delivery.attempts:5|c|@0.5|#endpoint:a"), "a rate is misread here");
}

TEST(Receiver, RefusesATimingOfZeroAsCollectdDoes) {
  EXPECT_EQ(refusal(Agent::collectd, "notification.delivery.duration:0|ms"), "this agent drops a timing of 0 ms");
  EXPECT_EQ(refusal(Agent::collectd, "notification.delivery.attempts:0|c"), "");
  EXPECT_EQ(refusal(Agent::plain, "notification.delivery.duration:0|ms"), "");
}

TEST(Receiver, RefusesRatesThatAreNoneOrHaveAnExponent) {
  for (const std::string rate : {"", "0", "-0.5", "+0.5", "2", "1e-05", "0.5x", "inf", "nan"}) {
    EXPECT_NE(refusal(Agent::datadog, "notification.delivery.duration:5|ms|@" + rate + "|#endpoint:a"), "") << rate;
  }
}

TEST(Receiver, RefusesLinesThatAreCutOrOutOfOrder) {
  const std::string name = "notification.delivery.attempts";
  for (const std::string rest : {"", ":", ":1", ":1|", ":|c", ":1|c|", ":1|c|#endpoint", ":1|c|#endpoint:", ":1|c|x",
                                 ":1:2|c|#endpoint:a", ":1.5|c|#endpoint:a", ":-1|c|#endpoint:a", ":1|ms|#endpoint:a",
                                 ":1|c|#endpoint:a|#endpoint:b", ":1|c|#endpoint:a|@1", ":1|c|#endpoint:a|c:1"}) {
    EXPECT_NE(refusal(Agent::datadog, name + rest), "") << rest;
  }
  EXPECT_NE(refusal(Agent::datadog, "\n"), "");
}

TEST(Receiver, RefusesDeliveriesWithoutEndpointAndActiveTasksWithOne) {
  EXPECT_EQ(refusal(Agent::datadog, "notification.delivery.attempts:1|c"), "the tag endpoint is missing");
  EXPECT_EQ(refusal(Agent::datadog, "notification.active_tasks:1|g|#endpoint:a"), "active tasks belong to no endpoint");
}

TEST(Receiver, GoesOnAfterARefusedLineAndKeepsItsText) {
  const Counts counts = received(Agent::datadog, "weather:1|c\nnotification.delivery.attempts:1|c|#endpoint:a");
  EXPECT_EQ(counts.refused, std::vector<std::string>{"the name is unknown: weather:1|c"});
  EXPECT_EQ(counts.endpoints.at("a").attempts, 1U);
}

}  // namespace
}  // namespace demo
