#include "demo/counts.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace demo {
namespace {

TEST(Percentile, IsTheNearestRank) {
  const Latencies latencies{{1, 50}, {10, 45}, {100, 5}};
  EXPECT_EQ(percentile(latencies, 50), 1U);
  EXPECT_EQ(percentile(latencies, 51), 10U);
  EXPECT_EQ(percentile(latencies, 95), 10U);
  EXPECT_EQ(percentile(latencies, 99), 100U);
}

TEST(Percentile, OfOneIsThatOne) { EXPECT_EQ(percentile({{7, 1}}, 50), 7U); }

TEST(Percentile, OfNothingIsNothing) { EXPECT_EQ(percentile({}, 50), std::nullopt); }

TEST(Total, AddsAllEndpoints) {
  const Counts counts{.endpoints = {{"a", {3, 2, 1, {{5, 2}}}}, {"b", {4, 1, 3, {{5, 1}}}}}};
  EXPECT_EQ(total(counts), (EndpointCounts{7, 3, 4, {{5, 3}}}));
}

TEST(CountsText, GivesTheSameCountsBack) {
  const Counts counts{.endpoints = {{"", {1, 0, 1, {}}}, {"a.example:81", {3, 2, 1, {{5, 1}, {70, 1}}}}},
                      .active_tasks = -2,
                      .refused = {"the name is unknown: \"x\\\":1|c"}};
  EXPECT_EQ(counts_from_text(to_text(counts)), counts);
}

TEST(CountsText, GivesNothingBackAsNothing) { EXPECT_EQ(counts_from_text(to_text({})), Counts{}); }

TEST(CountsText, IsRefusedWhenItsEndIsMissing) {
  EXPECT_THROW(counts_from_text(""), std::runtime_error);
  EXPECT_THROW(counts_from_text("active_tasks 0\n"), std::runtime_error);
}

TEST(CountsText, IsRefusedWhenAFactIsUnknownOrCut) {
  EXPECT_THROW(counts_from_text("weather fine\nend\n"), std::runtime_error);
  EXPECT_THROW(counts_from_text("deliveries \"a\" 1 2\nend\n"), std::runtime_error);
}

}  // namespace
}  // namespace demo
