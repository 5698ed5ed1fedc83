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
  EXPECT_EQ(keys.duration_kind, expected.duration_kind);
}

TEST(DeliveryKeys, AreDottedNames) {
  for (const Agent agent : {Agent::datadog, Agent::telegraf, Agent::etsy, Agent::graphite, Agent::plain,
                            Agent::collectd, Agent::netdata, Agent::cloudwatch, Agent::vector, Agent::gostatsd}) {
    SCOPED_TRACE(to_string(agent));
    expect_keys(delivery_keys(wire::rules_of(agent), "", false),
                {"notification.delivery.attempts", "notification.delivery.successes", "notification.delivery.failures",
                 "notification.delivery.duration", "notification.active_tasks", wire::Kind::timing});
  }
}

TEST(DeliveryKeys, AreThePrometheusNamesForStatsdExporter) {
  expect_keys(delivery_keys(wire::rules_of(Agent::statsd_exporter), "", false),
              {"notification_delivery_attempts_total", "notification_delivery_successes_total",
               "notification_delivery_failures_total", "notification_delivery_duration_seconds",
               "notification_active_tasks", wire::Kind::timing});
}

TEST(DeliveryKeys, OfPrometheusAreThoseOfStatsdExporter) {
  expect_keys(prometheus_keys(), delivery_keys(wire::rules_of(Agent::statsd_exporter), "", false));
}

TEST(DeliveryKeys, HaveThePrefixAsItIs) {
  expect_keys(delivery_keys(wire::rules_of(Agent::datadog), "shop.", true),
              {"shop.notification.delivery.attempts", "shop.notification.delivery.successes",
               "shop.notification.delivery.failures", "shop.notification.delivery.duration",
               "shop.notification.active_tasks", wire::Kind::distribution});
}

}  // namespace
}  // namespace event_metrics
