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
  EXPECT_EQ(
      column(&AgentRules::agent),
      (std::vector{Agent::datadog, Agent::telegraf, Agent::statsd_exporter, Agent::etsy, Agent::graphite, Agent::plain,
                   Agent::collectd, Agent::netdata, Agent::cloudwatch, Agent::vector, Agent::gostatsd}));
}

TEST(AgentRules, FindsEachRowByItsAgent) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(find_rules(rules.agent), &rules);
    EXPECT_EQ(&rules_of(rules.agent), &rules);
  }
}

TEST(AgentRules, FindsNothingForAnAgentThatIsUnsetOrUnknown) {
  EXPECT_EQ(find_rules(Agent{}), nullptr);
  EXPECT_EQ(find_rules(static_cast<Agent>(12)), nullptr);
  EXPECT_EQ(find_rules(static_cast<Agent>(255)), nullptr);
}

// The agents whose rows have this flag set.
std::vector<Agent> those_with(bool AgentRules::*flag) {
  std::vector<Agent> agents;
  for (const AgentRules& rules : all_rules()) {
    if (rules.*flag) agents.push_back(rules.agent);
  }
  return agents;
}

TEST(AgentRules, TakeASignedGaugeForAChangeExceptDatadogAndGostatsd) {
  EXPECT_EQ(those_with(&AgentRules::negative_gauge_is_delta),
            (std::vector{Agent::telegraf, Agent::statsd_exporter, Agent::etsy, Agent::graphite, Agent::plain,
                         Agent::collectd, Agent::netdata, Agent::cloudwatch, Agent::vector}));
}

TEST(AgentRules, HaveTagsOnlyWhereTheAgentReadsThem) {
  EXPECT_EQ(those_with(&AgentRules::tags),
            (std::vector{Agent::datadog, Agent::telegraf, Agent::statsd_exporter, Agent::graphite, Agent::cloudwatch,
                         Agent::vector, Agent::gostatsd}));
  EXPECT_EQ(those_with(&AgentRules::bare_tags), (std::vector{Agent::datadog, Agent::vector, Agent::gostatsd}));
  EXPECT_EQ(those_with(&AgentRules::utf8_values),
            (std::vector{Agent::datadog, Agent::statsd_exporter, Agent::vector, Agent::gostatsd}));
}

TEST(AgentRules, OnlyDatadogHasDistributions) {
  EXPECT_EQ(those_with(&AgentRules::distribution), std::vector{Agent::datadog});
}

TEST(AgentRules, WeighTimingsOnlyWhereTheAgentDoes) {
  EXPECT_EQ(column(&AgentRules::timing_weight_max),
            (std::vector<std::uint64_t>{1'000'000, 10, 1'000, 1, 1, 1, 1, 100, 1'000'000, 1'000'000, 1}));
  for (const AgentRules& rules : all_rules()) EXPECT_TRUE(whole_rate(rules.timing_weight_max)) << rules.name;
}

TEST(AgentRules, KnowWhereARateWeighsTheCountOnly) {
  EXPECT_EQ(those_with(&AgentRules::rate_counts), (std::vector{Agent::etsy, Agent::graphite, Agent::gostatsd}));
}

TEST(AgentRules, ShuffleTimingsForTelegrafAndWhatMayBeOne) {
  EXPECT_EQ(those_with(&AgentRules::shuffle_timings), (std::vector{Agent::telegraf, Agent::plain}));
}

TEST(AgentRules, NeverAllowMoreThanTheAgentReads) {
  EXPECT_EQ(column(&AgentRules::max_datagram),
            (std::vector<std::size_t>{8192, 65507, 65507, 65507, 65507, 4095, 4095, 65507, 65507, 65507, 65507}));
}

TEST(AgentRules, NeverAllowsAByteThatEndsAFieldInAnyDialect) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(rules.value_marks.find_first_of(",| \n"), std::string_view::npos) << rules.name;
    EXPECT_EQ(rules.key_marks.find_first_of(",|: \n"), std::string_view::npos) << rules.name;
  }
}

}  // namespace
}  // namespace event_metrics::wire
