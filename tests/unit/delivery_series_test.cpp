#include "client/delivery_series.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "delivery/delivery_keys.hpp"

namespace event_metrics {
namespace {

using statsd::Agent;

DeliverySeries series(Agent agent, std::vector<statsd::Tag> tags = {}, bool by_endpoint = true,
                      std::size_t limit = 1432) {
  const wire::AgentRules& rules = wire::rules_of(agent);
  return {rules, delivery_schema(delivery_keys(rules, ""), false), std::move(tags), by_endpoint, limit};
}

TEST(DeliverySeries, BeginsWithOtherAndInvalid) {
  const DeliverySeries all = series(Agent::datadog);
  EXPECT_EQ(all.size(), 2u);
  EXPECT_EQ(all.suffix(DeliverySeries::other), "|#endpoint:other");
  EXPECT_EQ(all.suffix(DeliverySeries::invalid), "|#endpoint:invalid");
  EXPECT_EQ(all.common_suffix(), "");
}

TEST(DeliverySeries, IsOneSeriesWithoutEndpoints) {
  const DeliverySeries all = series(Agent::datadog, {{"env", "prod"}}, false);
  EXPECT_EQ(all.size(), 1u);
  EXPECT_EQ(all.suffix(0), "|#env:prod");
  EXPECT_EQ(all.common_suffix(), "|#env:prod");
}

TEST(DeliverySeries, PutsTheEndpointBehindTheTags) {
  DeliverySeries all = series(Agent::datadog, {{"env", "prod"}});
  EXPECT_EQ(all.find_or_add("hooks.example.com"), 2u);
  EXPECT_EQ(all.suffix(2), "|#env:prod,endpoint:hooks.example.com");
}

TEST(DeliverySeries, SharesASeriesBetweenEqualTags) {
  DeliverySeries all = series(Agent::graphite);
  EXPECT_EQ(all.find_or_add("hooks.example.com:81"), 2u);
  EXPECT_EQ(all.find_or_add("hooks.example.com_81"), 2u);
  EXPECT_EQ(all.find_or_add("hooks.example.com:82"), 3u);
  EXPECT_EQ(all.suffix(2), "|#endpoint:hooks.example.com_81");
  EXPECT_EQ(all.find_or_add("other"), DeliverySeries::other);
}

TEST(DeliverySeries, CountsAnEndpointThatWouldNotFitAsOther) {
  DeliverySeries all = series(Agent::datadog, {}, true, 400);
  EXPECT_EQ(all.find_or_add("short.example.com"), 2u);
  EXPECT_EQ(all.find_or_add(std::string(200, 'a')), DeliverySeries::other);
  EXPECT_LE(all.longest_group(), 400u);
}

TEST(DeliverySeries, HoldsNewSeriesToALoweredLimit) {
  DeliverySeries all = series(Agent::datadog);
  all.lower_limit(all.longest_group());
  EXPECT_EQ(all.find_or_add("a.io"), 2u);  // no longer than `invalid`
  EXPECT_EQ(all.find_or_add("hooks.example.com"), DeliverySeries::other);
}

TEST(DeliverySeries, RefusesALimitThatOtherDoesNotFit) {
  const std::size_t needed = series(Agent::datadog).longest_group();
  EXPECT_NO_THROW(series(Agent::datadog, {}, true, needed));
  try {
    series(Agent::datadog, {}, true, needed - 1);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& refusal) {
    EXPECT_EQ(std::string{refusal.what()},
              "Options.max_datagram_bytes allows " + std::to_string(needed - 1) +
                  " bytes: the lines of one delivery with this prefix and these tags "
                  "can take " +
                  std::to_string(needed) +
                  ", write at least that, or shorten the prefix or the tags, in DD_TAGS if they come from there");
  }
}

}  // namespace
}  // namespace event_metrics
