#include "transport/address.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace event_metrics::transport {
namespace {

using namespace std::string_view_literals;

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
  }
}

TEST(ParseAddress, TellsEveryAddressInOneForm) {
  EXPECT_EQ(parse_address("udp://Agent.local:08125").text, "udp://Agent.local:8125");
  EXPECT_EQ(parse_address("udp://[fe80::1%eth0]:8125").text, "udp://[fe80::1%eth0]:8125");
  EXPECT_EQ(parse_address("unix:///run/my agent.sock").text, "unix:///run/my agent.sock");
  EXPECT_EQ(parse_address("unixgram:///run/x").text, "unix:///run/x");
}

constexpr std::string_view start = "Options.address is not the address of an agent: ";

void expect_refused(std::initializer_list<std::string_view> texts, std::string_view advice) {
  for (const std::string_view text : texts) EXPECT_EQ(refusal(text), std::string(start).append(advice)) << text;
}

TEST(ParseAddress, ShowsAUrlWhenThereIsNoScheme) {
  expect_refused({"127.0.0.1:8125", "", "udp:127.0.0.1:8125"}, "write udp://host:port or unix:///path");
}

TEST(ParseAddress, RefusesStreamSocketsByName) {
  expect_refused({"unixstream:///run/x"},
                 "unixstream:// is a stream socket, which is not supported; write unix:///path for a datagram socket");
}

TEST(ParseAddress, RefusesOtherSchemes) {
  expect_refused({"tcp://127.0.0.1:8125", "http://a:1", "UDP://a:1", "UNIX:///run/x", "://a:1", " udp://a:1"},
                 "write udp://host:port or unix:///path, in lower case; no other scheme is known");
}

TEST(ParseAddress, RefusesAHostThatIsNone) {
  expect_refused({"udp://:8125", "udp://", "udp://a b:8125", "udp://a/b:8125", "udp://a]:8125"},
                 "write a host name or an IP address after udp://, as in udp://127.0.0.1:8125");
}

TEST(ParseAddress, RefusesUserInfo) {
  expect_refused({"udp://user:secret@a:8125", "udp://secret@[::1]:8125"}, "write udp://host:port without user info");
}

TEST(ParseAddress, RefusesAMissingPort) {
  expect_refused({"udp://localhost", "udp://[::1]", "udp://[::1]8125"},
                 "write the port after the host, as in udp://127.0.0.1:8125");
}

TEST(ParseAddress, RefusesAPortThatIsNone) {
  for (const std::string port :
       {"0", "65536", "99999999999999999999", "-1", "+1", " 1", "1 ", "1x", "http", "", "8125/", "0x1f"}) {
    expect_refused({"udp://localhost:" + port},
                   "write a port from 1 to 65535 after the host, as in udp://127.0.0.1:8125");
  }
}

TEST(ParseAddress, AsksForBracketsAroundIpv6) {
  expect_refused({"udp://::1:8125"}, "write an IPv6 address in brackets, as in udp://[::1]:8125");
}

TEST(ParseAddress, RefusesBracketsWithoutAnIpv6Address) {
  expect_refused({"udp://[]:1", "udp://[::1:8125", "udp://[localhost]:1", "udp://[127.0.0.1]:1", "udp://[::1%a b]:1"},
                 "write an IPv6 address between the brackets, as in udp://[::1]:8125");
}

TEST(ParseAddress, RefusesAPathThatIsNotAbsolute) {
  expect_refused({"unix://", "unix:///", "unix://run/x", "unixgram://./x", "unix://@abstract", "unix:// /run/x"},
                 "write the socket's absolute path, as in unix:///var/run/datadog/dsd.socket");
}

TEST(ParseAddress, RefusesABlankAtAPathsEnd) {
  expect_refused({"unix:///run/x ", "unixgram:///run/x  "}, "write the socket's path without a blank at its end");
}

TEST(ParseAddress, RefusesAPathLongerThanASocketsName) {
  const std::string longest = "unix:///" + std::string(106, 'a');
  EXPECT_EQ(parse_address(longest).host.size(), 107U);
  expect_refused({longest + "a"}, "write a path of at most 107 bytes, the most that a unix socket can have");
}

TEST(ParseAddress, RefusesControlCharacters) {
  expect_refused({"unix:///run/a\0b"sv, "udp://a\n:1", "udp://a:1\x7f", "udp://a:1\x1f"},
                 "write it without control characters");
}

TEST(ParseAddress, NeverRepeatsWhatItRefuses) {
  for (const std::string text :
       {"UDP://user:s3cret@a:8125", "tcp://s3cret@a:8125", "https://user:s3cret@a", "s3cret@a:8125", "s3cret",
        "unix://user:s3cret@/run/x", "unixstream:///run/s3cret", "udp://host:8125/s3cret",
        "udp://host:8125?token=s3cret", "udp://host?token=s3cret", "udp://s3cret:x@host:1", "udp://[s3cret]:1",
        "udp://s3cret host:1", "udp://h:s3cret", "unix:///run/s3cret ", "udp://host:1\ns3cret", "s3cret://host:1",
        "udp://a:b:s3cret", "unix:s3cret"}) {
    const std::string told = refusal(text);
    EXPECT_EQ(told.find("s3cret"), std::string::npos) << told;
    EXPECT_TRUE(told.starts_with(start)) << told;
  }
  const std::string told = refusal("unix:///" + std::string(200, 's'));
  EXPECT_EQ(told.find("ssss"), std::string::npos) << told;
}

TEST(ParseAddress, NamesTheFieldItIsTold) {
  try {
    parse_address("x", "DD_DOGSTATSD_URL");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "DD_DOGSTATSD_URL is not the address of an agent: write udp://host:port or unix:///path");
  }
}

}  // namespace
}  // namespace event_metrics::transport
