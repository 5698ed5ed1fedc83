#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

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

TEST_F(DatadogEnvironment, TakesIpv6HostsWhoseEndIsNoPort) {
  for (const std::string host :
       {"2001:db8::1234", "fd00::1:2", "fd00::1:81", "::1:812f", "1:2:3:4:5:6:7:8125", "::1"}) {
    set("DD_AGENT_HOST", host.c_str());
    EXPECT_EQ(address(), "udp://[" + host + "]:8125");
  }
  set("DD_AGENT_HOST", "[::1:8125]");
  EXPECT_EQ(address(), "udp://[::1:8125]:8125");
}

TEST_F(DatadogEnvironment, RefusesAnIpv6HostWhoseEndMayBeAPort) {
  for (const char* const host : {"::1:8125", "2001:db8::7:9125", "1:2:3::8125:8125", "fe80::1%eth0:8125"}) {
    set("DD_AGENT_HOST", host);
    EXPECT_EQ(refusal(),
              "DD_AGENT_HOST may be an IPv6 address, or one and a port: write the address in brackets, "
              "as in [::1]; a port goes into DD_DOGSTATSD_PORT")
        << host;
  }
}

TEST_F(DatadogEnvironment, NamesTheVariableThatIsWrong) {
  set("DD_DOGSTATSD_URL", "unixstream:///x");
  EXPECT_EQ(refusal(),
            "DD_DOGSTATSD_URL is not the address of an agent: unixstream:// is a stream socket, which is not "
            "supported; write unix:///path for a datagram socket");
  set("DD_DOGSTATSD_URL", "udp://");
  EXPECT_EQ(refusal(),
            "DD_DOGSTATSD_URL is not the address of an agent: write a host name or an IP address after "
            "udp://, as in udp://127.0.0.1:8125");
  set("DD_DOGSTATSD_URL", "unix:///run/dsd.socket ");
  EXPECT_EQ(refusal(),
            "DD_DOGSTATSD_URL is not the address of an agent: write the socket's path without a blank at "
            "its end");

  ::unsetenv("DD_DOGSTATSD_URL");
  for (const char* const host : {"agent.local:9125", "a\nb", "[::1]:9125", "::1:81250"}) {
    set("DD_AGENT_HOST", host);
    EXPECT_EQ(refusal(),
              "DD_AGENT_HOST is no host: write a host name or an IP address; a port goes into DD_DOGSTATSD_PORT")
        << host;
  }

  set("DD_AGENT_HOST", "agent.local");
  for (const char* const port : {"0", "65536", "8125x", "1:2"}) {
    set("DD_DOGSTATSD_PORT", port);
    EXPECT_EQ(refusal(), "DD_DOGSTATSD_PORT is no port: write one from 1 to 65535") << port;
  }
}

TEST_F(DatadogEnvironment, NeverRepeatsAValue) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"DD_DOGSTATSD_URL", "tcp://user:s3cret@a"}, {"DD_DOGSTATSD_URL", "udp://s3cret@a"},
      {"DD_AGENT_HOST", "user:s3cret@a"},          {"DD_AGENT_HOST", "s3cret?"},
      {"DD_DOGSTATSD_PORT", "8125/s3cret"},        {"DD_TAGS", "team:s3cret,:s3cret"}};
  for (const auto& [name, value] : wrong) {
    set(name, value);
    const std::string told = refusal();
    EXPECT_TRUE(told.starts_with(name)) << told;
    EXPECT_EQ(told.find("s3cret"), std::string::npos) << told;
    ::unsetenv(name);
  }
}

TEST_F(DatadogEnvironment, MakesTagsOfEnvServiceAndVersion) {
  set("DD_ENV", "prod");
  set("DD_SERVICE", "shop");
  set("DD_VERSION", "1.2:3");
  EXPECT_EQ(tags(), (Pairs{{"env", "prod"}, {"service", "shop"}, {"version", "1.2:3"}}));
}

TEST_F(DatadogEnvironment, SplitsTagsAtCommasWhereThereIsOne) {
  set("DD_TAGS", " team:a b,, region : eu-west-1 ,\turl:http://x:1, canary\n,last: , ,");
  EXPECT_EQ(tags(),
            (Pairs{{"team", "a b"}, {"region", "eu-west-1"}, {"url", "http://x:1"}, {"canary", ""}, {"last", ""}}));
  set("DD_TAGS", "only:one two,");
  EXPECT_EQ(tags(), (Pairs{{"only", "one two"}}));
}

TEST_F(DatadogEnvironment, SplitsTagsAtBlanksWhereThereIsNoComma) {
  set("DD_TAGS", " team:a  region:eu-west-1\turl:http://x:1\ncanary\v\flast: \r\n");
  EXPECT_EQ(tags(),
            (Pairs{{"team", "a"}, {"region", "eu-west-1"}, {"url", "http://x:1"}, {"canary", ""}, {"last", ""}}));
  for (const char* const none : {" ", ",", " , ,\n"}) {
    set("DD_TAGS", none);
    EXPECT_EQ(tags(), Pairs{});
  }
}

TEST_F(DatadogEnvironment, PrefersEnvServiceAndVersionToTheSameTagsInTheList) {
  set("DD_ENV", "prod");
  set("DD_TAGS", "env:test,service:shop,version:1,environment:x");
  EXPECT_EQ(tags(), (Pairs{{"env", "prod"}, {"service", "shop"}, {"version", "1"}, {"environment", "x"}}));
}

TEST_F(DatadogEnvironment, RefusesATagWithoutAKey) {
  for (const char* const list : {"team:a,:b", "team:a :b", "team:a, : b", ":"}) {
    set("DD_TAGS", list);
    EXPECT_EQ(refusal(),
              "DD_TAGS holds a tag without a key: write key:value pairs parted by commas, or by blanks alone");
  }
}

TEST_F(DatadogEnvironment, IsNamedWhereItsTagsAreRefusedLater) {
  const auto refused = [] {
    try {
      const StatsdEventMetrics metrics{datadog_from_environment()};
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  set("DD_TAGS", "endpoint:x");
  EXPECT_EQ(refused(),
            "Options.tags holds the key \"endpoint\", which is the endpoint's own: write another key, in "
            "DD_TAGS if it comes from there, or EndpointLabel::none");
  set("DD_TAGS", ("team:" + std::string(1400, 'a')).c_str());
  const std::string told = refused();
  EXPECT_TRUE(told.starts_with("Options.max_datagram_bytes allows 1432 bytes: ")) << told;
  EXPECT_TRUE(told.ends_with("shorten the prefix or the tags, in DD_TAGS if they come from there")) << told;
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace
}  // namespace event_metrics::statsd
