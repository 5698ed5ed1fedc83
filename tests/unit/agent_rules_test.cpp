#include "wire/agent_rules.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "wire/weight.hpp"

namespace event_metrics::wire {
namespace {

using statsd::Agent;

// One column of the table, read row by row.
template <class Field>
std::vector<Field> column(Field AgentRules::*field) {
  std::vector<Field> fields;
  for (const AgentRules& rules : all_rules()) fields.push_back(rules.*field);
  return fields;
}

TEST(AgentRules, HasOneRowPerAgentInTheirOrder) {
  EXPECT_EQ(column(&AgentRules::agent), (std::vector{Agent::datadog, Agent::telegraf, Agent::statsd_exporter,
                                                     Agent::etsy, Agent::graphite, Agent::plain}));
}

TEST(AgentRules, FindsEachRowByItsAgent) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(find_rules(rules.agent), &rules);
    EXPECT_EQ(&rules_of(rules.agent), &rules);
  }
}

TEST(AgentRules, FindsNothingForAnAgentThatIsUnsetOrUnknown) {
  EXPECT_EQ(find_rules(Agent{}), nullptr);
  EXPECT_EQ(find_rules(static_cast<Agent>(7)), nullptr);
  EXPECT_EQ(find_rules(static_cast<Agent>(255)), nullptr);
}

TEST(AgentRules, OnlyDatadogSetsNegativeGaugesAndReadsBareTagsAndDistributions) {
  EXPECT_EQ(column(&AgentRules::negative_gauge_is_delta), (std::vector{false, true, true, true, true, true}));
  EXPECT_EQ(column(&AgentRules::bare_tags), (std::vector{true, false, false, false, false, false}));
  EXPECT_EQ(column(&AgentRules::distribution), (std::vector{true, false, false, false, false, false}));
}

TEST(AgentRules, EtsyAndPlainHaveNoTags) {
  EXPECT_EQ(column(&AgentRules::tags), (std::vector{true, true, true, false, true, false}));
}

TEST(AgentRules, WeighsTimingsOnlyWhereTheAgentDoes) {
  EXPECT_EQ(column(&AgentRules::timing_weight_max), (std::vector<std::uint64_t>{1'000'000, 10, 1'000, 1, 1, 1}));
  for (const AgentRules& rules : all_rules()) EXPECT_TRUE(whole_rate(rules.timing_weight_max)) << rules.name;
}

TEST(AgentRules, ShufflesTimingsOnlyForTelegraf) {
  EXPECT_EQ(column(&AgentRules::shuffle_timings), (std::vector{false, true, false, false, false, false}));
}

TEST(AgentRules, NeverAllowsMoreThanTheAgentReads) {
  EXPECT_EQ(column(&AgentRules::max_datagram), (std::vector<std::size_t>{8192, 65507, 65507, 65507, 65507, 4095}));
}

TEST(AgentRules, NeverAllowsAByteThatEndsAFieldInAnyDialect) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(rules.value_marks.find_first_of(",| \n"), std::string_view::npos) << rules.name;
    EXPECT_EQ(rules.key_marks.find_first_of(",|: \n"), std::string_view::npos) << rules.name;
  }
}

}  // namespace
}  // namespace event_metrics::wire
