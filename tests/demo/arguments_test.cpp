#include "demo/arguments.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <stdexcept>
#include <vector>

namespace demo {
namespace {

using event_metrics::statsd::Agent;

Arguments parse(std::initializer_list<const char*> words) { return parse_arguments(std::vector<const char*>{words}); }

TEST(Arguments, StartAReceiverForDatadogByDefault) {
  const Arguments arguments = parse({});
  EXPECT_EQ(arguments.agent, Agent::datadog);
  EXPECT_EQ(arguments.address, std::nullopt);
}

TEST(Arguments, TakeEveryOption) {
  const Arguments arguments =
      parse({"--deliveries", "7", "--concurrency", "3", "--seed", "9", "--agent", "etsy", "--show-lines", "--help"});
  EXPECT_EQ(arguments.deliveries, 7U);
  EXPECT_EQ(arguments.concurrency, 3U);
  EXPECT_EQ(arguments.seed, 9U);
  EXPECT_EQ(arguments.agent, Agent::etsy);
  EXPECT_TRUE(arguments.show_lines);
  EXPECT_TRUE(arguments.help);
}

TEST(Arguments, TakeEveryAgent) {
  EXPECT_EQ(parse({"--agent", "collectd"}).agent, Agent::collectd);
  EXPECT_EQ(parse({"--agent", "netdata"}).agent, Agent::netdata);
  EXPECT_EQ(parse({"--agent", "cloudwatch"}).agent, Agent::cloudwatch);
  EXPECT_EQ(parse({"--agent", "vector"}).agent, Agent::vector);
  EXPECT_EQ(parse({"--agent", "gostatsd"}).agent, Agent::gostatsd);
}

TEST(Arguments, TakeAnAddressWithItsAgent) {
  EXPECT_EQ(parse({"--address", "udp://a:1", "--agent", "plain"}).address, "udp://a:1");
}

TEST(Arguments, RefuseAnAddressWithoutItsAgent) {
  EXPECT_THROW(parse({"--address", "udp://a:1"}), std::invalid_argument);
}

TEST(Arguments, RefuseToShowLinesThatAnotherAgentGets) {
  EXPECT_THROW(parse({"--address", "udp://a:1", "--agent", "plain", "--show-lines"}), std::invalid_argument);
}

TEST(Arguments, RefuseWhatTheyDoNotKnow) {
  EXPECT_THROW(parse({"--faster"}), std::invalid_argument);
  EXPECT_THROW(parse({"7"}), std::invalid_argument);
  EXPECT_THROW(parse({"--agent", "prometheus"}), std::invalid_argument);
}

TEST(Arguments, RefuseNumbersThatAreMissingOrOutOfRange) {
  for (const char* number : {"", "0", "-1", "1.5", "7x", "1000001", "99999999999999999999"}) {
    EXPECT_THROW(parse({"--deliveries", number}), std::invalid_argument) << number;
  }
  EXPECT_THROW(parse({"--concurrency", "257"}), std::invalid_argument);
  EXPECT_THROW(parse({"--seed"}), std::invalid_argument);
}

}  // namespace
}  // namespace demo
