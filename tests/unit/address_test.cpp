#include "transport/address.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace event_metrics::transport {
namespace {

using namespace std::string_literals;

std::string refusal(std::string_view text) {
  try {
    parse_address(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

void expect_udp(std::string_view text, std::string_view host, std::uint16_t port) {
  const Address address = parse_address(text);
  EXPECT_EQ(address.kind, Address::Kind::udp) << text;
  EXPECT_EQ(address.host, host);
  EXPECT_EQ(address.port, port);
  EXPECT_EQ(address.text, text);
}

TEST(ParseAddress, ReadsUdp) {
  expect_udp("udp://127.0.0.1:8125", "127.0.0.1", 8125);
  expect_udp("udp://statsd-agent.my_ns.svc:1", "statsd-agent.my_ns.svc", 1);
  expect_udp("udp://localhost:65535", "localhost", 65535);
}

TEST(ParseAddress, TakesBracketsOffIpv6) {
  expect_udp("udp://[::1]:8125", "::1", 8125);
  expect_udp("udp://[2001:db8::a]:9", "2001:db8::a", 9);
  expect_udp("udp://[fe80::1%eth0]:8125", "fe80::1%eth0", 8125);
  expect_udp("udp://[::ffff:192.0.2.1]:8125", "::ffff:192.0.2.1", 8125);
}

TEST(ParseAddress, ReadsUnixDatagramSockets) {
  for (const std::string_view text : {"unix:///var/run/datadog/dsd.socket", "unixgram:///var/run/datadog/dsd.socket"}) {
    const Address address = parse_address(text);
    EXPECT_EQ(address.kind, Address::Kind::unix_datagram);
    EXPECT_EQ(address.host, "/var/run/datadog/dsd.socket");
    EXPECT_EQ(address.port, 0);
    EXPECT_EQ(address.text, text);
  }
}

TEST(ParseAddress, ShowsAUrlWhenThereIsNoScheme) {
  EXPECT_EQ(refusal("127.0.0.1:8125"), R"(Options.address is "127.0.0.1:8125": write udp://host:port or unix:///path)");
  EXPECT_EQ(refusal(""), R"(Options.address is "": write udp://host:port or unix:///path)");
  EXPECT_EQ(refusal("udp:127.0.0.1:8125"),
            R"(Options.address is "udp:127.0.0.1:8125": write udp://host:port or unix:///path)");
}

TEST(ParseAddress, RefusesStreamSocketsByName) {
  EXPECT_EQ(refusal("unixstream:///run/x"),
            R"(Options.address is "unixstream:///run/x": unixstream:// is a stream socket, which is not supported; )"
            R"(write unix:///path for a datagram socket)");
}

TEST(ParseAddress, RefusesOtherSchemes) {
  for (const std::string_view text : {"tcp://127.0.0.1:8125", "http://a:1", "UDP://a:1", "://a:1", " udp://a:1"}) {
    EXPECT_EQ(refusal(text), "Options.address is \"" + std::string(text) +
                                 "\": write udp://host:port or unix:///path, no other scheme is known");
  }
}

TEST(ParseAddress, RefusesAHostThatIsNone) {
  for (const std::string_view text : {"udp://:8125", "udp://", "udp://a b:8125", "udp://a/b:8125", "udp://a]:8125"}) {
    EXPECT_EQ(refusal(text), "Options.address is \"" + std::string(text) +
                                 "\": write a host name or an IP address after udp://, as in udp://127.0.0.1:8125");
  }
}

TEST(ParseAddress, RefusesUserInfoWithoutRepeatingIt) {
  EXPECT_EQ(refusal("udp://user:secret@a:8125"), "Options.address holds user info: write udp://host:port without it");
}

TEST(ParseAddress, RefusesAMissingPort) {
  for (const std::string_view text : {"udp://localhost", "udp://[::1]", "udp://[::1]8125"}) {
    EXPECT_EQ(refusal(text), "Options.address is \"" + std::string(text) +
                                 "\": write the port after the host, as in udp://127.0.0.1:8125");
  }
}

TEST(ParseAddress, RefusesAPortThatIsNone) {
  for (const std::string_view port :
       {"0", "65536", "99999999999999999999", "-1", "+1", " 1", "1 ", "1x", "http", "", "8125/", "0x1f"}) {
    const std::string text = "udp://localhost:" + std::string(port);
    EXPECT_EQ(refusal(text), "Options.address is \"" + text +
                                 "\": write a port from 1 to 65535 after the host, as in udp://127.0.0.1:8125");
  }
}

TEST(ParseAddress, AsksForBracketsAroundIpv6) {
  EXPECT_EQ(refusal("udp://::1:8125"),
            R"(Options.address is "udp://::1:8125": write an IPv6 address in brackets, as in udp://[::1]:8125)");
}

TEST(ParseAddress, RefusesBracketsWithoutAnIpv6Address) {
  for (const std::string_view text :
       {"udp://[]:1", "udp://[::1:8125", "udp://[localhost]:1", "udp://[127.0.0.1]:1", "udp://[::1%a b]:1"}) {
    EXPECT_EQ(refusal(text), "Options.address is \"" + std::string(text) +
                                 "\": write an IPv6 address between the brackets, as in udp://[::1]:8125");
  }
}

TEST(ParseAddress, RefusesAPathThatIsNotAbsolute) {
  for (const std::string_view text : {"unix://", "unix:///", "unix://run/x", "unixgram://./x", "unix://@abstract"}) {
    EXPECT_EQ(refusal(text), "Options.address is \"" + std::string(text) +
                                 "\": write the socket's absolute path, as in unix:///var/run/datadog/dsd.socket");
  }
}

TEST(ParseAddress, RefusesAPathLongerThanASocketsName) {
  const std::string longest = "unix:///" + std::string(106, 'a');
  EXPECT_EQ(parse_address(longest).host.size(), 107U);
  EXPECT_EQ(refusal(longest + "a"), "Options.address is \"" + longest +
                                        "a\": write a path of at most 107 bytes, the most that a unix socket can have");
}

TEST(ParseAddress, RefusesControlCharactersWithoutRepeatingThem) {
  EXPECT_EQ(refusal("unix:///run/a\0b"s),
            R"(Options.address is "unix:///run/a\x00b": write it without control characters)");
  EXPECT_EQ(refusal("udp://a\n:1"), R"(Options.address is "udp://a\x0a:1": write it without control characters)");
  EXPECT_EQ(refusal("udp://a:1\x7f"), R"(Options.address is "udp://a:1\x7f": write it without control characters)");
  EXPECT_EQ(refusal("udp://a:1\x1f"), R"(Options.address is "udp://a:1\x1f": write it without control characters)");
}

TEST(ParseAddress, ShortensWhatIsTooLongForAMessage) {
  EXPECT_EQ(refusal(std::string(5000, 'a')),
            "Options.address is \"" + std::string(200, 'a') + "...\": write udp://host:port or unix:///path");
}

TEST(ParseAddress, NamesTheFieldItIsTold) {
  try {
    parse_address("x", "DD_DOGSTATSD_URL");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), R"(DD_DOGSTATSD_URL is "x": write udp://host:port or unix:///path)");
  }
}

}  // namespace
}  // namespace event_metrics::transport
