#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "event_metrics/statsd/options.hpp"

namespace event_metrics::statsd {
namespace {

// NOLINTBEGIN(concurrency-mt-unsafe): the tests run on one thread

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Every variable unset before each test, and as it was after it.
class DatadogEnvironment : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* const name :
         {"DD_DOGSTATSD_URL", "DD_AGENT_HOST", "DD_DOGSTATSD_PORT", "DD_ENV", "DD_SERVICE", "DD_VERSION", "DD_TAGS"}) {
      const char* const value = std::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      ::unsetenv(name);
    }
  }

  void TearDown() override {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }

  static void set(const char* name, const char* value) { ::setenv(name, value, 1); }

  static std::string address() { return datadog_from_environment().address; }

  static Pairs tags() {
    Pairs pairs;
    for (const Tag& tag : datadog_from_environment().tags) pairs.emplace_back(tag.key, tag.value);
    return pairs;
  }

  static std::string refusal() {
    try {
      datadog_from_environment();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(DatadogEnvironment, GivesTheDefaultsWhenNothingIsSet) {
  const Options options = datadog_from_environment();
  EXPECT_EQ(options.agent, Agent::datadog);
  EXPECT_EQ(options.address, Options{}.address);
  EXPECT_TRUE(options.tags.empty());
}

TEST_F(DatadogEnvironment, TakesAnEmptyVariableForUnset) {
  for (const char* const name :
       {"DD_DOGSTATSD_URL", "DD_AGENT_HOST", "DD_DOGSTATSD_PORT", "DD_ENV", "DD_SERVICE", "DD_VERSION", "DD_TAGS"}) {
    set(name, "");
  }
  EXPECT_EQ(address(), "udp://127.0.0.1:8125");
  EXPECT_EQ(tags(), Pairs{});
}

TEST_F(DatadogEnvironment, TakesHostAndPort) {
  set("DD_AGENT_HOST", "agent.local");
  EXPECT_EQ(address(), "udp://agent.local:8125");
  set("DD_DOGSTATSD_PORT", "9125");
  EXPECT_EQ(address(), "udp://agent.local:9125");
  ::unsetenv("DD_AGENT_HOST");
  EXPECT_EQ(address(), "udp://127.0.0.1:9125");
}

TEST_F(DatadogEnvironment, PutsIpv6HostsInBrackets) {
  set("DD_AGENT_HOST", "2001:db8::1");
  EXPECT_EQ(address(), "udp://[2001:db8::1]:8125");
  set("DD_AGENT_HOST", "[2001:db8::1]");
  EXPECT_EQ(address(), "udp://[2001:db8::1]:8125");
  set("DD_AGENT_HOST", "fe80::1%eth0");
  EXPECT_EQ(address(), "udp://[fe80::1%eth0]:8125");
}

TEST_F(DatadogEnvironment, LetsTheUrlDecideOverHostAndPort) {
  set("DD_AGENT_HOST", "agent.local");
  set("DD_DOGSTATSD_PORT", "not a port");
  set("DD_DOGSTATSD_URL", "udp://other.local:9999");
  EXPECT_EQ(address(), "udp://other.local:9999");
  set("DD_DOGSTATSD_URL", "unix:///var/run/datadog/dsd.socket");
  EXPECT_EQ(address(), "unix:///var/run/datadog/dsd.socket");
  set("DD_DOGSTATSD_URL", "unixgram:///var/run/datadog/dsd.socket");
  EXPECT_EQ(address(), "unixgram:///var/run/datadog/dsd.socket");
}

TEST_F(DatadogEnvironment, AddsTheUsualPortToAUrlWithoutOne) {
  set("DD_DOGSTATSD_URL", "udp://agent.local");
  EXPECT_EQ(address(), "udp://agent.local:8125");
  set("DD_DOGSTATSD_URL", "udp://[::1]");
  EXPECT_EQ(address(), "udp://[::1]:8125");
  set("DD_DOGSTATSD_URL", "udp://[::1]:9");
  EXPECT_EQ(address(), "udp://[::1]:9");
}

TEST_F(DatadogEnvironment, NamesTheVariableThatIsWrong) {
  set("DD_DOGSTATSD_URL", "unixstream:///x");
  EXPECT_EQ(refusal(),
            R"(DD_DOGSTATSD_URL is "unixstream:///x": unixstream:// is a stream socket, which is not supported; )"
            R"(write unix:///path for a datagram socket)");
  set("DD_DOGSTATSD_URL", "udp://");
  EXPECT_EQ(refusal(), R"(DD_DOGSTATSD_URL is "udp://": write a host name or an IP address after udp://, )"
                       R"(as in udp://127.0.0.1:8125)");

  ::unsetenv("DD_DOGSTATSD_URL");
  set("DD_AGENT_HOST", "agent.local:9125");
  EXPECT_EQ(refusal(), R"(DD_AGENT_HOST is "agent.local:9125": write a host name or an IP address; )"
                       R"(a port goes into DD_DOGSTATSD_PORT)");
  set("DD_AGENT_HOST", "a\nb");
  EXPECT_EQ(refusal(),
            R"(DD_AGENT_HOST is "a\x0ab": write a host name or an IP address; a port goes into DD_DOGSTATSD_PORT)");

  set("DD_AGENT_HOST", "agent.local");
  for (const std::string port : {"0", "65536", "8125x", "1:2"}) {
    set("DD_DOGSTATSD_PORT", port.c_str());
    EXPECT_EQ(refusal(), "DD_DOGSTATSD_PORT is \"" + port + "\": write a port from 1 to 65535");
  }
}

TEST_F(DatadogEnvironment, MakesTagsOfEnvServiceAndVersion) {
  set("DD_ENV", "prod");
  set("DD_SERVICE", "shop");
  set("DD_VERSION", "1.2:3");
  EXPECT_EQ(tags(), (Pairs{{"env", "prod"}, {"service", "shop"}, {"version", "1.2:3"}}));
}

TEST_F(DatadogEnvironment, SplitsTagsAtCommasAndBlanks) {
  set("DD_TAGS", " team:a,,region:eu-west-1  url:http://x:1\tcanary, last: ");
  EXPECT_EQ(tags(),
            (Pairs{{"team", "a"}, {"region", "eu-west-1"}, {"url", "http://x:1"}, {"canary", ""}, {"last", ""}}));
}

TEST_F(DatadogEnvironment, PrefersEnvServiceAndVersionToTheSameTagsInTheList) {
  set("DD_ENV", "prod");
  set("DD_TAGS", "env:test,service:shop,version:1,environment:x");
  EXPECT_EQ(tags(), (Pairs{{"env", "prod"}, {"service", "shop"}, {"version", "1"}, {"environment", "x"}}));
}

TEST_F(DatadogEnvironment, RefusesATagWithoutAKey) {
  set("DD_TAGS", "team:a,:b");
  EXPECT_EQ(refusal(), R"(DD_TAGS is "team:a,:b": write key:value pairs parted by commas or blanks, each with a key)");
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace
}  // namespace event_metrics::statsd
