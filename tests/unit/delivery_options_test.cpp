#include "delivery/delivery_options.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace event_metrics {
namespace {

using statsd::Agent;

std::string refusal(statsd::Options options, const DeliveryOptions& delivery = {}) {
  try {
    (void)client_setup(std::move(options), delivery);
    return "accepted";
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
}

TEST(DeliveryOptions, AreRefusedWhereTheyAreWrong) {
  EXPECT_EQ(refusal({.agent = Agent::datadog}, {.max_endpoints = 0}),
            "DeliveryOptions.max_endpoints is 0: write a number from 1 to 100000");
  EXPECT_EQ(refusal({.agent = Agent::datadog}, {.max_endpoints = 100'001}),
            "DeliveryOptions.max_endpoints is 100001: write a number from 1 to 100000");
  EXPECT_EQ(refusal({.agent = Agent::telegraf}, {.distribution = true}),
            "DeliveryOptions.distribution is true, which telegraf does not read: write false, or Agent::datadog");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .tags = {{"endpoint", "mine"}}}),
            "Options.tags holds the key \"endpoint\", which is the endpoint's own: write another key, in DD_TAGS "
            "if it comes from there, or "
            "EndpointLabel::none");
  EXPECT_EQ(refusal({.agent = Agent::datadog}, {.endpoint_label = static_cast<EndpointLabel>(7)}),
            "DeliveryOptions.endpoint_label is no label: write EndpointLabel::none or ::host");
}

TEST(DeliveryOptions, RefuseAPrefixThatMakesNamesLongerThanTheAgentReads) {
  EXPECT_EQ(refusal({.agent = Agent::plain, .prefix = std::string(70, 'a')}),
            "Options.prefix has 70 bytes: write at most 69, since plain reads names of 100");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .prefix = std::string(170, 'a')}),
            "Options.prefix has 170 bytes: write at most 169, since datadog reads names of 200");
}

TEST(DeliveryOptions, AreLookedAtAfterTheOptionsOfTheClient) {
  const DeliveryOptions wrong{.max_endpoints = 0};
  EXPECT_EQ(refusal({.agent = Agent::plain, .prefix = "9"}, wrong).find("Options.prefix is"), 0U);
  EXPECT_EQ(refusal({.agent = Agent::plain, .prefix = std::string(70, 'a')}, wrong).find("Options.prefix has"), 0U);
}

TEST(DeliveryOptions, SayWhetherSeriesAreToldApartByEndpoint) {
  const DeliveryOptions two{.max_endpoints = 2};
  EXPECT_TRUE(client_setup({.agent = Agent::datadog}, two).by_endpoint);
  EXPECT_EQ(client_setup({.agent = Agent::datadog}, two).max_endpoints, 2U);
  EXPECT_FALSE(client_setup({.agent = Agent::plain}, two).by_endpoint);
  EXPECT_EQ(client_setup({.agent = Agent::plain}, two).max_endpoints, 1U);
  EXPECT_FALSE(client_setup({.agent = Agent::datadog}, {.endpoint_label = EndpointLabel::none}).by_endpoint);
}

TEST(DeliveryOptions, NameTheLinesWithThePrefix) {
  const Client::Setup setup = client_setup({.agent = Agent::datadog, .prefix = "shop."}, {.distribution = true});
  EXPECT_EQ(setup.schema.counters.front().key, "shop.notification.delivery.attempts");
  EXPECT_EQ(setup.schema.observed_kind, wire::Kind::distribution);
}

}  // namespace
}  // namespace event_metrics
