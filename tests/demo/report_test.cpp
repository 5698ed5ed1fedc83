#include "demo/report.hpp"

#include <gtest/gtest.h>

#include <string>

namespace demo {
namespace {

const Counts recorded{.endpoints = {{"a.example", {4, 3, 1, {{5, 2}, {300, 1}}}}, {"b.example", {2, 0, 2, {}}}},
                      .active_tasks = 0};

Counts received_without_tags() { return {.endpoints = {{"", total(recorded)}}, .active_tasks = 0}; }

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Agree, IsTrueForEqualCounts) { EXPECT_TRUE(agree(recorded, recorded)); }

TEST(Agree, IsFalseWhenOneCountDiffers) {
  for (auto field : {&EndpointCounts::attempts, &EndpointCounts::successes, &EndpointCounts::failures}) {
    Counts received = recorded;
    received.endpoints["a.example"].*field += 1;
    EXPECT_FALSE(agree(recorded, received));
  }
}

TEST(Agree, IsFalseWhenOneLatencyDiffers) {
  Counts received = recorded;
  received.endpoints["a.example"].latencies = {{5, 2}, {301, 1}};
  EXPECT_FALSE(agree(recorded, received));
}

TEST(Agree, IsFalseWhenAnEndpointIsMissingOrTooMany) {
  Counts received = recorded;
  received.endpoints.erase("b.example");
  EXPECT_FALSE(agree(recorded, received));
  EXPECT_FALSE(agree(received, recorded));
}

TEST(Agree, IsFalseWhenALineWasRefused) {
  Counts received = recorded;
  received.refused = {"the name is unknown: weather:1|c"};
  EXPECT_FALSE(agree(recorded, received));
}

TEST(Agree, IsFalseUnlessActiveTasksHaveEndedOnBothSides) {
  Counts other = recorded;
  other.active_tasks = 1;
  EXPECT_FALSE(agree(recorded, other));
  EXPECT_FALSE(agree(other, recorded));
  EXPECT_FALSE(agree(other, other));
  other.active_tasks = std::nullopt;
  EXPECT_FALSE(agree(recorded, other));
}

TEST(Agree, ComparesTheSumsWhereTheAgentHasNoTags) {
  Counts received = received_without_tags();
  EXPECT_TRUE(agree(recorded, received));
  received.endpoints[""].failures += 1;
  EXPECT_FALSE(agree(recorded, received));
}

TEST(Report, PutsRecordedBesideReceived) {
  Counts received = recorded;
  received.endpoints["b.example"].attempts = 1;
  EXPECT_EQ(report(recorded, received),
            "recorded = received\n"
            "\n"
            "endpoint        attempts   successes   failures   p50 ms      p95 ms      p99 ms\n"
            "a.example          4 = 4       3 = 3      1 = 1    5 = 5   300 = 300   300 = 300\n"
            "b.example         2 != 1       0 = 0      2 = 2        -           -           -\n"
            "all endpoints     6 != 5       3 = 3      3 = 3    5 = 5   300 = 300   300 = 300\n"
            "\n"
            "active tasks at the end: 0 = 0\n"
            "\n"
            "latency of the successes, as received\n"
            "<= 0.1 s  ################################################## 2\n"
            "<= 0.5 s  ######################### 1\n"
            "<= 1 s     0\n"
            "<= 2.5 s   0\n"
            "<= 5 s     0\n"
            "<= 10 s    0\n"
            "longer     0\n");
}

TEST(Report, HasARowForAnEndpointThatOnlyOneSideKnows) {
  const std::string text = report({.active_tasks = 0}, recorded);
  EXPECT_NE(text.find("\nb.example         0 != 2 "), std::string::npos) << text;
}

TEST(Report, ComparesTheSumsOnlyWhereTheAgentHasNoTags) {
  const std::string text = report(recorded, received_without_tags());
  EXPECT_TRUE(has_line(text, "this agent has no tags: it receives sums only")) << text;
  EXPECT_TRUE(has_line(text, "a.example              4           3          1        5         300         300"))
      << text;
  EXPECT_TRUE(has_line(text, "all endpoints      6 = 6       3 = 3      3 = 3    5 = 5   300 = 300   300 = 300"))
      << text;
}

TEST(Report, ComparesNothingWithoutAReceiver) {
  const std::string text = report(recorded, std::nullopt);
  EXPECT_EQ(text.find("recorded\n"), 0U);
  EXPECT_EQ(text.find(" = "), std::string::npos);
}

TEST(Report, SaysWhichActiveTasksNeverCame) {
  EXPECT_TRUE(has_line(report(recorded, Counts{}), "active tasks at the end: 0 != none"));
}

TEST(Report, NamesRefusedLines) {
  Counts received = recorded;
  received.refused = {"the name is unknown: weather:1|c"};
  EXPECT_TRUE(has_line(report(recorded, received), "refused, the name is unknown: weather:1|c"));
}

TEST(Report, CountsALatencyOnABucketsEdgeInThatBucket) {
  const Counts edges{.endpoints = {{"a", {4, 4, 0, {{100, 1}, {101, 1}, {10'000, 1}, {10'001, 1}}}}}};
  const std::string text = report(edges, std::nullopt);
  const std::string bar = std::string(50, '#') + " 1";
  for (const std::string name : {"<= 0.1 s  ", "<= 0.5 s  ", "<= 10 s   ", "longer    "}) {
    EXPECT_TRUE(has_line(text, name + bar)) << text;
  }
}

}  // namespace
}  // namespace demo
