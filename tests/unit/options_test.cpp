#include "client/options.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "wire/agent_rules.hpp"

namespace event_metrics::statsd {
namespace {

using namespace std::chrono_literals;

std::string refusal(const Options& options) {
  try {
    check(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Agent, HasANameThatReadsBack) {
  EXPECT_EQ(to_string(Agent::datadog), "datadog");
  EXPECT_EQ(to_string(Agent::telegraf), "telegraf");
  EXPECT_EQ(to_string(Agent::statsd_exporter), "statsd_exporter");
  EXPECT_EQ(to_string(Agent::etsy), "etsy");
  EXPECT_EQ(to_string(Agent::graphite), "graphite");
  EXPECT_EQ(to_string(Agent::plain), "plain");
  EXPECT_EQ(to_string(Agent::collectd), "collectd");
  EXPECT_EQ(to_string(Agent::netdata), "netdata");
  EXPECT_EQ(to_string(Agent::cloudwatch), "cloudwatch");
  EXPECT_EQ(to_string(Agent::vector), "vector");
  EXPECT_EQ(to_string(Agent::gostatsd), "gostatsd");
  for (const wire::AgentRules& rules : wire::all_rules()) EXPECT_EQ(parse_agent(to_string(rules.agent)), rules.agent);
}

TEST(Agent, IsUnknownWhenItIsNoEnumerator) {
  EXPECT_EQ(to_string(Agent{}), "unknown");
  EXPECT_EQ(to_string(static_cast<Agent>(200)), "unknown");
}

TEST(Agent, IsReadFromNoOtherText) {
  for (const std::string_view text : {"", "unknown", "Datadog", " datadog", "datadog ", "data", "statsd"}) {
    EXPECT_EQ(parse_agent(text), std::nullopt) << text;
  }
}

TEST(CheckOptions, AcceptsTheDefaultsForEveryAgent) {
  for (const wire::AgentRules& rules : wire::all_rules()) EXPECT_EQ(refusal({.agent = rules.agent}), "accepted");
}

TEST(CheckOptions, RefusesAnAgentThatIsUnsetOrUnknown) {
  EXPECT_EQ(refusal({}),
            "Options.agent is not set: write one of Agent::datadog Agent::telegraf Agent::statsd_exporter Agent::etsy "
            "Agent::graphite Agent::plain Agent::collectd Agent::netdata Agent::cloudwatch Agent::vector "
            "Agent::gostatsd");
  EXPECT_EQ(refusal({.agent = static_cast<Agent>(99)}),
            "Options.agent is 99: write one of Agent::datadog Agent::telegraf Agent::statsd_exporter Agent::etsy "
            "Agent::graphite Agent::plain Agent::collectd Agent::netdata Agent::cloudwatch Agent::vector "
            "Agent::gostatsd");
}

TEST(CheckOptions, RefusesABadAddress) {
  EXPECT_EQ(refusal({.agent = Agent::datadog, .address = "localhost:8125"}),
            "Options.address is not the address of an agent: write udp://host:port or unix:///path");
}

TEST(CheckOptions, AcceptsPrefixesThatEveryAgentCarries) {
  for (const std::string_view prefix : {"shop.", "a", "Shop_2.eu-west."}) {
    EXPECT_EQ(refusal({.agent = Agent::plain, .prefix = std::string(prefix)}), "accepted") << prefix;
  }
}

TEST(CheckOptions, RefusesAPrefixThatSomeAgentCannotCarry) {
  const std::string advice = ": write letters, digits, `_`, `.` and `-`, the first a letter";
  for (const std::string_view prefix : {"9shop.", "_shop.", ".shop", "-shop", "shop:", "my shop.", "shop|", "shop/"}) {
    EXPECT_EQ(refusal({.agent = Agent::datadog, .prefix = std::string(prefix)}),
              "Options.prefix is \"" + std::string(prefix) + "\"" + advice);
  }
  EXPECT_EQ(refusal({.agent = Agent::datadog, .prefix = "a\nb:1|c"}), R"(Options.prefix is "a\x0ab:1|c")" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .prefix = "\u00fc"}), R"(Options.prefix is "\xc3\xbc")" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .prefix = "a\"\\"}), R"(Options.prefix is "a\"\\")" + advice);
}

TEST(CheckOptions, RefusesATagWithoutAKey) {
  EXPECT_EQ(refusal({.agent = Agent::datadog, .tags = {{"env", "prod"}, {"", "x"}}}),
            R"(Options.tags[1].key is "": write at least one letter)");
}

TEST(CheckOptions, RefusesABareTagWhereTheAgentHasNone) {
  EXPECT_EQ(refusal({.agent = Agent::datadog, .tags = {{"canary", ""}}}), "accepted");
  EXPECT_EQ(
      refusal({.agent = Agent::telegraf, .tags = {{"can\nary", ""}}}),
      R"(Options.tags[0].value is "": write a value, in DD_TAGS if it comes from there: telegraf has no bare tags)");
}

TEST(CheckOptions, RefusesAFlushIntervalOutsideItsRange) {
  const std::string advice = ": write a duration above 0 and at most 60 s";
  EXPECT_EQ(refusal({.agent = Agent::datadog, .flush_interval = 0ms}), "Options.flush_interval is 0 ms" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .flush_interval = -5ms}), "Options.flush_interval is -5 ms" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .flush_interval = 60'001ms}),
            "Options.flush_interval is 60001 ms" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .flush_interval = 1ms}), "accepted");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .flush_interval = 60s}), "accepted");
}

TEST(CheckOptions, RefusesACloseTimeoutOutsideItsRange) {
  const std::string advice = ": write a duration of 0 to 60 s";
  EXPECT_EQ(refusal({.agent = Agent::datadog, .close_timeout = -1ms}), "Options.close_timeout is -1 ms" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .close_timeout = 60'001ms}),
            "Options.close_timeout is 60001 ms" + advice);
  EXPECT_EQ(refusal({.agent = Agent::datadog, .close_timeout = 0ms}), "accepted");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .close_timeout = 60s}), "accepted");
}

TEST(CheckOptions, TellsOfTheClientItselfOnlyToDatadog) {
  EXPECT_EQ(refusal({.agent = Agent::datadog, .client_telemetry = true}), "accepted");
  EXPECT_EQ(refusal({.agent = Agent::telegraf, .client_telemetry = true}),
            "Options.client_telemetry is true: write false, or Agent::datadog: telegraf has no use for it");
}

TEST(CheckOptions, RefusesToForgetWhatIsUnsentTooSoonOrTooLate) {
  EXPECT_EQ(refusal({.agent = Agent::datadog, .keep_for = 2s}), "accepted");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .keep_for = 24h}), "accepted");
  EXPECT_EQ(
      refusal({.agent = Agent::datadog, .keep_for = 1s}),
      "Options.keep_for is 1 s: write 0, which keeps what is unsent for ever, or at least two flush intervals and "
      "at most 86400 s");
  for (const std::chrono::seconds any : {std::chrono::seconds::min(), std::chrono::seconds::max()}) {
    EXPECT_TRUE(refusal({.agent = Agent::datadog, .keep_for = any}).starts_with("Options.keep_for is "));
  }
  EXPECT_EQ(refusal({.agent = Agent::datadog, .keep_for = -5s}),
            "Options.keep_for is -5 s: write 0, which keeps what is unsent for ever, or at least two flush intervals "
            "and at most 86400 s");
  EXPECT_EQ(
      refusal({.agent = Agent::datadog, .keep_for = 86'401s}),
      "Options.keep_for is 86401 s: write 0, which keeps what is unsent for ever, or at least two flush intervals "
      "and at most 86400 s");
}

TEST(CheckOptions, RefusesADatagramLongerThanTheAgentReads) {
  EXPECT_EQ(refusal({.agent = Agent::datadog, .max_datagram_bytes = 8192}), "accepted");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .max_datagram_bytes = 8193}),
            "Options.max_datagram_bytes is 8193: write at most 8192, the most that datadog reads, or 0");
  EXPECT_EQ(refusal({.agent = Agent::datadog, .max_memory_bytes = 68719476737U}),
            "Options.max_memory_bytes is 68719476737: write at most 68719476736");
  EXPECT_EQ(refusal({.agent = Agent::plain, .max_datagram_bytes = 4096}),
            "Options.max_datagram_bytes is 4096: write at most 4095, the most that plain reads, or 0");
  EXPECT_EQ(refusal({.agent = Agent::telegraf, .max_datagram_bytes = 65507}), "accepted");
  EXPECT_EQ(refusal({.agent = Agent::telegraf, .max_datagram_bytes = 65508}),
            "Options.max_datagram_bytes is 65508: write at most 65507, the most that telegraf reads, or 0");
}

TEST(DatagramLimit, IsWhatTheWayCarriesUnlessTheAgentReadsLess) {
  EXPECT_EQ(datagram_limit({.agent = Agent::datadog}), 1432U);
  EXPECT_EQ(datagram_limit({.agent = Agent::plain}), 1432U);
  EXPECT_EQ(datagram_limit({.agent = Agent::datadog, .address = "unix:///x"}), 8192U);
  EXPECT_EQ(datagram_limit({.agent = Agent::telegraf, .address = "unix:///x"}), 8192U);
  EXPECT_EQ(datagram_limit({.agent = Agent::plain, .address = "unix:///x"}), 4095U);
}

TEST(DatagramLimit, IsWhatTheOptionsSay) {
  EXPECT_EQ(datagram_limit({.agent = Agent::telegraf, .max_datagram_bytes = 500}), 500U);
  EXPECT_EQ(datagram_limit({.agent = Agent::telegraf, .max_datagram_bytes = 65507}), 65507U);
}

}  // namespace
}  // namespace event_metrics::statsd
