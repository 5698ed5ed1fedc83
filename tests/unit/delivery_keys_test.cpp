#include "delivery/delivery_keys.hpp"

#include <gtest/gtest.h>

namespace event_metrics {
namespace {

using statsd::Agent;

void expect_keys(const DeliveryKeys& keys, const DeliveryKeys& expected) {
  EXPECT_EQ(keys.attempts, expected.attempts);
  EXPECT_EQ(keys.successes, expected.successes);
  EXPECT_EQ(keys.failures, expected.failures);
  EXPECT_EQ(keys.duration, expected.duration);
  EXPECT_EQ(keys.active_tasks, expected.active_tasks);
}

TEST(DeliveryKeys, AreDottedNames) {
  for (const Agent agent : {Agent::datadog, Agent::telegraf, Agent::etsy, Agent::graphite, Agent::plain,
                            Agent::collectd, Agent::netdata, Agent::cloudwatch, Agent::vector, Agent::gostatsd}) {
    SCOPED_TRACE(to_string(agent));
    expect_keys(delivery_keys(wire::rules_of(agent), ""),
                {"notification.delivery.attempts", "notification.delivery.successes", "notification.delivery.failures",
                 "notification.delivery.duration", "notification.active_tasks"});
  }
}

TEST(DeliveryKeys, AreThePrometheusNamesForStatsdExporter) {
  expect_keys(
      delivery_keys(wire::rules_of(Agent::statsd_exporter), ""),
      {"notification_delivery_attempts_total", "notification_delivery_successes_total",
       "notification_delivery_failures_total", "notification_delivery_duration_seconds", "notification_active_tasks"});
}

TEST(DeliveryKeys, OfPrometheusAreThoseOfStatsdExporter) {
  expect_keys(prometheus_keys(), delivery_keys(wire::rules_of(Agent::statsd_exporter), ""));
}

TEST(DeliveryKeys, HaveThePrefixAsItIs) {
  expect_keys(
      delivery_keys(wire::rules_of(Agent::datadog), "shop."),
      {"shop.notification.delivery.attempts", "shop.notification.delivery.successes",
       "shop.notification.delivery.failures", "shop.notification.delivery.duration", "shop.notification.active_tasks"});
}

TEST(DeliverySchema, CountsASuccessByItsDurationAndAFailureByTheTally) {
  const Schema schema = delivery_schema({"attempts", "successes", "failures", "duration", "tasks"}, false);
  ASSERT_EQ(schema.counters.size(), 3u);
  EXPECT_EQ(schema.counters[0].key, "attempts");
  EXPECT_EQ(schema.counters[0].counts, Schema::Counts::both);
  EXPECT_EQ(schema.counters[1].key, "successes");
  EXPECT_EQ(schema.counters[1].counts, Schema::Counts::observed);
  EXPECT_EQ(schema.counters[2].key, "failures");
  EXPECT_EQ(schema.counters[2].counts, Schema::Counts::tallied);
  EXPECT_EQ(schema.observed, "duration");
  EXPECT_EQ(schema.observed_kind, wire::Kind::timing);
  EXPECT_EQ(schema.level, "tasks");
}

TEST(DeliverySchema, HasDistributionsWhereTheyAreAskedFor) {
  EXPECT_EQ(delivery_schema({}, true).observed_kind, wire::Kind::distribution);
}

}  // namespace
}  // namespace event_metrics
