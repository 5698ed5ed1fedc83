#include "prometheus/families.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "record/cells.hpp"

namespace event_metrics {
namespace {

TEST(PrometheusFamilies, PutsAnEdgeIntoTheBucketBelowIt) {
  const auto bucket = [](std::uint64_t ms) { return bucket_of(record::cell_of(ms)); };
  std::size_t expected = 0;
  EXPECT_EQ(bucket(0), 0u);
  for (const std::uint32_t edge : bucket_edges) {
    EXPECT_EQ(bucket(edge), expected) << edge;
    EXPECT_EQ(bucket(edge + 1), ++expected) << edge;
  }
  EXPECT_EQ(bucket(record::greatest_value), 6u);
}

TEST(PrometheusFamilies, GivesEndpointsWithEqualLabelsTheSameSeries) {
  prometheus::Registry registry;
  PrometheusFamilies families{registry};
  EXPECT_EQ(&families.series({{"endpoint", "a"}}).attempts, &families.series({{"endpoint", "a"}}).attempts);
  EXPECT_NE(&families.series({{"endpoint", "a"}}).attempts, &families.series({{"endpoint", "b"}}).attempts);
}

// On this order rests that no scrape sees fewer attempts than successes and failures.
TEST(PrometheusFamilies, IsScrapedForAttemptsAfterSuccessesAndFailures) {
  prometheus::Registry registry;
  PrometheusFamilies families{registry};
  (void)families.series({});
  std::vector<std::string> names;
  for (const prometheus::MetricFamily& family : registry.Collect()) names.push_back(family.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"notification_delivery_successes_total", "notification_delivery_failures_total",
                                      "notification_delivery_attempts_total", "notification_active_tasks",
                                      "notification_delivery_duration_seconds"}));
}

}  // namespace
}  // namespace event_metrics
