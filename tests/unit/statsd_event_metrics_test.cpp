#include "event_metrics/statsd_event_metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "support/agent.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using support::Tally;

constexpr const char* secret_url = "https://user:secret@hooks.example.com/T0/abc?token=x";

std::string sent(statsd::Options options, const DeliveryOptions& delivery, void (*record)(EventMetrics&)) {
  const support::Agent agent;
  options.address = agent.address();
  options.own_thread = false;  // whose first turn may come at any moment
  StatsdEventMetrics metrics{std::move(options), delivery};
  record(metrics);
  EXPECT_TRUE(metrics.flush(5s));
  EXPECT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.datagrams().size(), 1u);
  return agent.datagrams().front();
}

void two_successes_and_a_503(EventMetrics& metrics) {
  metrics.record_delivery_success(secret_url, 12ms);
  metrics.record_delivery_success(secret_url, 12ms);
  metrics.record_delivery_failure(secret_url, 503);
}

TEST(StatsdEventMetrics, SendsDeliveriesToDatadogWithoutTheSecretsOfTheirUrl) {
  EXPECT_EQ(sent({.agent = statsd::Agent::datadog}, {}, two_successes_and_a_503),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:3|c|#endpoint:hooks.example.com\n"
            "notification.delivery.successes:2|c|#endpoint:hooks.example.com\n"
            "notification.delivery.failures:1|c|#endpoint:hooks.example.com\n"
            "notification.delivery.duration:12|ms|@0.5|#endpoint:hooks.example.com");
}

// Each within 0.05 %: 3,600,000, 86,400,000 and 17,280,000,000 ms.
TEST(StatsdEventMetrics, SendsDurationsOfHoursDaysAndMonths) {
  EXPECT_EQ(sent({.agent = statsd::Agent::datadog}, {.endpoint_label = EndpointLabel::none},
                 [](EventMetrics& metrics) {
                   for (const auto duration : {1h, 24h, 200 * 24h}) {
                     metrics.record_delivery_success(secret_url, duration);
                   }
                 }),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:3|c\n"
            "notification.delivery.successes:3|c\n"
            "notification.delivery.failures:0|c\n"
            "notification.delivery.duration:3599360|ms\n"
            "notification.delivery.duration:86409216|ms\n"
            "notification.delivery.duration:17272143872|ms");
}

TEST(StatsdEventMetrics, SendsWhatIsBeyondTheLongestDurationAsThatAndCountsIt) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::netdata, .address = agent.address(), .own_thread = false}, {}};
  metrics.record_delivery_success(secret_url, 200 * 24h);
  metrics.record_delivery_success(secret_url, 549'755'813'888ms);
  ASSERT_TRUE(metrics.flush(5s));
  EXPECT_EQ(metrics.stats().beyond_range, 0U);
  metrics.record_delivery_success(secret_url, 549'755'813'888ms + 1ns);
  ASSERT_TRUE(metrics.flush(5s));
  EXPECT_EQ(metrics.stats().beyond_range, 1U);
  ASSERT_TRUE(agent.wait_for_datagrams(2));
  const Tally tally = agent.tally();
  EXPECT_EQ(tally.timings.at("notification.delivery.duration"),
            (std::map<std::int64_t, std::uint64_t>{{17'272'143'872, 1}, {549'621'596'160, 2}}));
}

// More clients than there are places for in a thread: the last one has shared cells alone.
TEST(StatsdEventMetrics, SendsALongDurationByItsOctaveWhereItHasNoCell) {
  const support::Agent agent;
  std::deque<StatsdEventMetrics> clients;
  for (int i = 0; i < 9; ++i) {
    clients.emplace_back(
        statsd::Options{.agent = statsd::Agent::netdata, .address = agent.address(), .own_thread = false});
  }
  clients.back().record_delivery_success(secret_url, 200 * 24h);
  clients.back().record_delivery_success(secret_url, 549'755'813'888ms + 1ns);
  ASSERT_TRUE(clients.back().flush(5s));
  EXPECT_EQ(clients.back().stats().coarse, 2U);
  EXPECT_EQ(clients.back().stats().beyond_range, 1U);
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.tally().timings.at("notification.delivery.duration"),
            (std::map<std::int64_t, std::uint64_t>{{25'769'803'776, 1}, {412'316'860'416, 1}}));
}

TEST(StatsdEventMetrics, SendsPrefixTagsAndDistributions) {
  EXPECT_EQ(sent({.agent = statsd::Agent::datadog, .prefix = "shop.", .tags = {{"env", "prod"}, {"canary", ""}}},
                 {.distribution = true}, two_successes_and_a_503),
            "shop.notification.active_tasks:0|g|#env:prod,canary\n"
            "shop.notification.delivery.attempts:3|c|#env:prod,canary,endpoint:hooks.example.com\n"
            "shop.notification.delivery.successes:2|c|#env:prod,canary,endpoint:hooks.example.com\n"
            "shop.notification.delivery.failures:1|c|#env:prod,canary,endpoint:hooks.example.com\n"
            "shop.notification.delivery.duration:12|d|@0.5|#env:prod,canary,endpoint:hooks.example.com");
}

TEST(StatsdEventMetrics, SendsPrometheusNamesToStatsdExporter) {
  EXPECT_EQ(sent({.agent = statsd::Agent::statsd_exporter}, {}, two_successes_and_a_503),
            "notification_active_tasks:0|g\n"
            "notification_delivery_attempts_total:3|c|#endpoint:hooks.example.com\n"
            "notification_delivery_successes_total:2|c|#endpoint:hooks.example.com\n"
            "notification_delivery_failures_total:1|c|#endpoint:hooks.example.com\n"
            "notification_delivery_duration_seconds:12|ms|@0.5|#endpoint:hooks.example.com");
}

TEST(StatsdEventMetrics, SendsTelegrafTags) {
  EXPECT_EQ(sent({.agent = statsd::Agent::telegraf}, {}, two_successes_and_a_503),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:3|c|#endpoint:hooks.example.com\n"
            "notification.delivery.successes:2|c|#endpoint:hooks.example.com\n"
            "notification.delivery.failures:1|c|#endpoint:hooks.example.com\n"
            "notification.delivery.duration:12|ms|@0.5|#endpoint:hooks.example.com");
}

TEST(StatsdEventMetrics, SendsTagsAndRatesToCloudwatch) {
  EXPECT_EQ(sent({.agent = statsd::Agent::cloudwatch, .tags = {{"host", "a"}, {"city", "K\u00f6ln"}}}, {},
                 two_successes_and_a_503),
            "notification.active_tasks:0|g|#tag_host:a,city:K__ln\n"
            "notification.delivery.attempts:3|c|#tag_host:a,city:K__ln,endpoint:hooks.example.com\n"
            "notification.delivery.successes:2|c|#tag_host:a,city:K__ln,endpoint:hooks.example.com\n"
            "notification.delivery.failures:1|c|#tag_host:a,city:K__ln,endpoint:hooks.example.com\n"
            "notification.delivery.duration:12|ms|@0.5|#tag_host:a,city:K__ln,endpoint:hooks.example.com");
}

TEST(StatsdEventMetrics, SendsRatesBeforeTagsToVector) {
  EXPECT_EQ(sent({.agent = statsd::Agent::vector, .tags = {{"canary", ""}, {"city", "K\u00f6ln"}}}, {},
                 two_successes_and_a_503),
            "notification.active_tasks:0|g|#canary,city:K\u00f6ln\n"
            "notification.delivery.attempts:3|c|#canary,city:K\u00f6ln,endpoint:hooks.example.com\n"
            "notification.delivery.successes:2|c|#canary,city:K\u00f6ln,endpoint:hooks.example.com\n"
            "notification.delivery.failures:1|c|#canary,city:K\u00f6ln,endpoint:hooks.example.com\n"
            "notification.delivery.duration:12|ms|@0.5|#canary,city:K\u00f6ln,endpoint:hooks.example.com");
}

TEST(StatsdEventMetrics, SendsTagsAndNoRatesToGraphiteAndGostatsd) {
  for (const statsd::Agent agent : {statsd::Agent::graphite, statsd::Agent::gostatsd}) {
    EXPECT_EQ(sent({.agent = agent}, {}, two_successes_and_a_503),
              "notification.active_tasks:0|g\n"
              "notification.delivery.attempts:3|c|#endpoint:hooks.example.com\n"
              "notification.delivery.successes:2|c|#endpoint:hooks.example.com\n"
              "notification.delivery.failures:1|c|#endpoint:hooks.example.com\n"
              "notification.delivery.duration:12|ms|#endpoint:hooks.example.com\n"
              "notification.delivery.duration:12|ms|#endpoint:hooks.example.com")
        << to_string(agent);
  }
}

TEST(StatsdEventMetrics, SendsRatesWithoutTagsToNetdata) {
  EXPECT_EQ(sent({.agent = statsd::Agent::netdata, .tags = {{"env", "prod"}}}, {}, two_successes_and_a_503),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:3|c\n"
            "notification.delivery.successes:2|c\n"
            "notification.delivery.failures:1|c\n"
            "notification.delivery.duration:12|ms|@0.5");
}

TEST(StatsdEventMetrics, LetsOneLineStandForAHundredTimingsAtNetdata) {
  EXPECT_EQ(sent({.agent = statsd::Agent::netdata}, {},
                 [](EventMetrics& metrics) {
                   for (int i = 0; i < 102; ++i) metrics.record_delivery_success("http://a.io", 0ms);
                 }),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:102|c\n"
            "notification.delivery.successes:102|c\n"
            "notification.delivery.failures:0|c\n"
            "notification.delivery.duration:0|ms|@0.01\n"
            "notification.delivery.duration:0|ms|@0.5");
}

TEST(StatsdEventMetrics, SendsNeitherTagsNorRatesToEtsyPlainAndCollectd) {
  for (const statsd::Agent agent : {statsd::Agent::etsy, statsd::Agent::plain, statsd::Agent::collectd}) {
    EXPECT_EQ(sent({.agent = agent, .tags = {{"env", "prod"}}}, {}, two_successes_and_a_503),
              "notification.active_tasks:0|g\n"
              "notification.delivery.attempts:3|c\n"
              "notification.delivery.successes:2|c\n"
              "notification.delivery.failures:1|c\n"
              "notification.delivery.duration:12|ms\n"
              "notification.delivery.duration:12|ms")
        << to_string(agent);
  }
}

TEST(StatsdEventMetrics, SaysNegativeActiveTasksAsEachAgentReadsThem) {
  const auto ended_twice = [](EventMetrics& metrics) {
    metrics.decrement_active_tasks();
    metrics.decrement_active_tasks();
  };
  for (const statsd::Agent agent : {statsd::Agent::datadog, statsd::Agent::gostatsd}) {
    EXPECT_EQ(sent({.agent = agent}, {}, ended_twice), "notification.active_tasks:-2|g") << to_string(agent);
  }
  for (const statsd::Agent agent :
       {statsd::Agent::telegraf, statsd::Agent::etsy, statsd::Agent::graphite, statsd::Agent::plain,
        statsd::Agent::collectd, statsd::Agent::netdata, statsd::Agent::cloudwatch, statsd::Agent::vector}) {
    EXPECT_EQ(sent({.agent = agent}, {}, ended_twice), "notification.active_tasks:0|g\nnotification.active_tasks:-2|g")
        << to_string(agent);
  }
}

TEST(StatsdEventMetrics, LeavesTheEndpointOutWhenAskedTo) {
  EXPECT_EQ(sent({.agent = statsd::Agent::datadog}, {.endpoint_label = EndpointLabel::none}, two_successes_and_a_503),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:3|c\n"
            "notification.delivery.successes:2|c\n"
            "notification.delivery.failures:1|c\n"
            "notification.delivery.duration:12|ms|@0.5");
}

TEST(StatsdEventMetrics, CountsFailureAndErrorAlike) {
  EXPECT_EQ(sent({.agent = statsd::Agent::datadog}, {},
                 [](EventMetrics& metrics) {
                   metrics.record_delivery_failure("http://a.io/", 500);
                   metrics.record_delivery_error("http://a.io/");
                   metrics.increment_active_tasks();
                   metrics.increment_active_tasks();
                   metrics.decrement_active_tasks();
                 }),
            "notification.active_tasks:1|g\n"
            "notification.delivery.attempts:2|c|#endpoint:a.io\n"
            "notification.delivery.successes:0|c|#endpoint:a.io\n"
            "notification.delivery.failures:2|c|#endpoint:a.io");
}

TEST(StatsdEventMetrics, SendsDurationsInWholeMillisecondsWithinItsRange) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog, .address = agent.address()}};
  for (const std::chrono::nanoseconds duration :
       {std::chrono::nanoseconds{-5s}, 999'999ns, 1'999'999ns, std::chrono::nanoseconds{5s},
        std::chrono::nanoseconds::max(), std::chrono::nanoseconds::min()}) {
    metrics.record_delivery_success("http://a.io", duration);
  }
  ASSERT_TRUE(metrics.flush(5s));
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  // 5 s is the edge of its cell, which is told as its middle; beyond the range it is the last cell.
  EXPECT_EQ(agent.tally().timings.at("notification.delivery.duration#endpoint:a.io"),
            (std::map<std::int64_t, std::uint64_t>{{0, 3}, {1, 1}, {4998, 1}, {549621596160, 1}}));
}

TEST(StatsdEventMetrics, MakesACleanBoundedLabelOfAnyUrl) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog, .address = agent.address()}};
  using namespace std::string_view_literals;
  for (const std::string_view url :
       {""sv, "no-scheme.example.com/secret"sv, "https://"sv, "https:///secret"sv, "https://user:secret@/x"sv,
        "https://user:secret"sv, "https://a.io&token=secret"sv, "https://a.io%2Fsecret"sv, "https://a.io secret"sv,
        "mailto:secret@example.com?u=http://x"sv, "https://a\\secret"sv}) {
    metrics.record_delivery_error(url);
  }
  metrics.record_delivery_error(std::string{"https://"} + std::string(256, 'a'));
  metrics.record_delivery_error("https://a|b\nd\0e\xff.io/secret"sv);
  metrics.record_delivery_error("https://[::1]:8080/secret"sv);
  ASSERT_TRUE(metrics.flush(5s));
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  const Tally tally = agent.tally();
  EXPECT_TRUE(tally.malformed.empty());
  EXPECT_EQ(tally.counter("notification.delivery.attempts#endpoint:invalid"), 13);
  EXPECT_EQ(tally.counter("notification.delivery.attempts#endpoint:[::1]:8080"), 1);
  EXPECT_EQ(tally.counter_sum("notification.delivery.attempts"), 14);
  for (const std::string& datagram : agent.datagrams()) EXPECT_EQ(datagram.find("secret"), std::string::npos);
}

TEST(StatsdEventMetrics, GivesPlacesToHostsHoweverTheyAreWritten) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::telegraf, .address = agent.address()}, {.max_endpoints = 2}};
  for (int i = 0; i < 100; ++i) {
    metrics.record_delivery_error("https://hooks.example.com\nSECRET" + std::to_string(i) + "/x");
    metrics.record_delivery_error("https://M\u00fcnchen.io:443?" + std::to_string(i));
    metrics.record_delivery_error("ws://xn--mnchen-3ya.io." + std::string{i % 2 == 0 ? "" : " \r\n"});
  }
  metrics.record_delivery_error("https://m\u00e4nchen.io/");
  metrics.record_delivery_error("https://late.io/");
  ASSERT_TRUE(metrics.flush(5s));
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  const Tally tally = agent.tally();
  EXPECT_EQ(tally.counter("notification.delivery.attempts#endpoint:invalid"), 100);
  EXPECT_EQ(tally.counter("notification.delivery.attempts#endpoint:xn--mnchen-3ya.io"), 200);
  EXPECT_EQ(tally.counter("notification.delivery.attempts#endpoint:xn--mnchen-bua.io"), 1);
  EXPECT_EQ(tally.counter("notification.delivery.attempts#endpoint:other"), 1);
  EXPECT_EQ(metrics.stats().endpoints, 2U);
  for (const std::string& datagram : agent.datagrams()) EXPECT_EQ(datagram.find("ecret"), std::string::npos);
}

TEST(StatsdEventMetrics, WorksBehindTheGuards) {
  EXPECT_EQ(sent({.agent = statsd::Agent::datadog}, {.endpoint_label = EndpointLabel::none},
                 [](EventMetrics& metrics) {
                   const ActiveTask task{metrics};
                   DeliveryAttempt failed{metrics, "https://a.io"};
                   failed.failure(500);
                   const DeliveryAttempt forgotten{metrics, "https://a.io"};
                 }),
            "notification.active_tasks:0|g\n"
            "notification.delivery.attempts:2|c\n"
            "notification.delivery.successes:0|c\n"
            "notification.delivery.failures:2|c");
}

}  // namespace
}  // namespace event_metrics
