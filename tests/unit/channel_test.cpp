#include "transport/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "support/agent.hpp"

namespace event_metrics {
namespace {

using transport::Channel;
using transport::parse_address;
using transport::Verdict;

// A port of loopback that nobody listens on: bound once and let go.
std::string deserted_address(support::Agent::Way way) { return support::Agent{way}.address(); }

int open_descriptors_that_survive_exec() {
  int count = 0;
  for (int descriptor = 3; descriptor < 256; ++descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ++count;
  }
  return count;
}

void sends_to(support::Agent::Way way) {
  const support::Agent agent{way};
  Channel channel{parse_address(agent.address())};
  EXPECT_FALSE(channel.is_open());
  EXPECT_EQ(channel.open(), std::error_code{});
  EXPECT_TRUE(channel.is_open());
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.datagrams().front(), "a:1|c");
  EXPECT_FALSE(channel.next_refusal().has_value());
}

TEST(Channel, SendsOverUdpIpv4) { sends_to(support::Agent::Way::udp4); }
TEST(Channel, SendsOverUdpIpv6) { sends_to(support::Agent::Way::udp6); }
TEST(Channel, SendsToAUnixSocket) { sends_to(support::Agent::Way::unix_datagram); }

TEST(Channel, ResolvesANameToIpv4First) {
  const support::Agent agent{support::Agent::Way::localhost};
  std::string address = agent.address();
  address.replace(address.find("127.0.0.1"), 9, "localhost");
  Channel channel{parse_address(address)};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
}

TEST(Channel, TellsThatANameDoesNotResolve) {
  Channel channel{parse_address("udp://no-such-host.invalid:8125")};
  EXPECT_EQ(channel.open().message(), "the host name does not resolve");
  EXPECT_FALSE(channel.is_open());
}

void quotes(support::Agent::Way way, std::size_t quoted) {
  Channel channel{parse_address(deserted_address(way))};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.quoted_bytes(), quoted);
  std::string datagram(1432, 'x');
  for (std::size_t i = 0; i < datagram.size(); ++i) datagram[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(channel.send(datagram), Verdict::accepted);
  const auto refusal = channel.next_refusal();
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(*refusal, datagram.substr(0, quoted));
  EXPECT_FALSE(channel.next_refusal().has_value());
  EXPECT_EQ(channel.send("short"), Verdict::accepted);  // a refusal that was read is not told again
  const auto whole = channel.next_refusal();
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(*whole, "short");
}

TEST(Channel, QuotesTheFirst520BytesOfADatagramRefusedOverIpv4) { quotes(support::Agent::Way::udp4, 520); }
TEST(Channel, QuotesTheFirst1184BytesOfADatagramRefusedOverIpv6) { quotes(support::Agent::Way::udp6, 1184); }

// On a socket of the other family its refusals would never come back.
TEST(Channel, TakesAMappedAddressForTheIpv4AddressThatItIs) {
  std::string address = deserted_address(support::Agent::Way::localhost);
  address.replace(address.find("127.0.0.1"), 9, "[::ffff:127.0.0.1]");
  Channel channel{parse_address(address)};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.quoted_bytes(), 520u);
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  EXPECT_EQ(channel.next_refusal().value_or("none"), "a:1|c");
}

TEST(Channel, IsRefusedByTheSendAfterAnUnreadRefusal) {
  Channel channel{parse_address(deserted_address(support::Agent::Way::udp4))};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.send("one"), Verdict::accepted);
  EXPECT_EQ(channel.send("two"), Verdict::refused);
  EXPECT_EQ(channel.error(), std::errc::connection_refused);
}

TEST(Channel, CannotOpenAnAbsentUnixSocket) {
  Channel channel{parse_address(deserted_address(support::Agent::Way::unix_datagram))};
  EXPECT_EQ(channel.open(), std::errc::no_such_file_or_directory);
  EXPECT_FALSE(channel.is_open());
}

TEST(Channel, HasToWaitWhenTheUnixSocketIsFull) {
  support::Agent agent{support::Agent::Way::unix_datagram};
  agent.stop();
  Channel channel{parse_address(agent.address())};
  ASSERT_EQ(channel.open(), std::error_code{});
  Verdict verdict = Verdict::accepted;
  for (int i = 0; i < 10'000 && verdict == Verdict::accepted; ++i) verdict = channel.send("a:1|c");
  EXPECT_EQ(verdict, Verdict::later);
}

TEST(Channel, IsRefusedWhenTheUnixSocketsAgentHasGone) {
  auto agent = std::make_unique<support::Agent>(support::Agent::Way::unix_datagram);
  Channel channel{parse_address(agent->address())};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_FALSE(channel.moved());
  agent.reset();
  EXPECT_EQ(channel.send("a:1|c"), Verdict::refused);
  EXPECT_FALSE(channel.moved());  // what is gone has no successor yet
}

TEST(Channel, NoticesThatItsPathNamesAnotherSocket) {
  const support::Agent old{support::Agent::Way::unix_datagram};
  Channel channel{parse_address(old.address())};
  ASSERT_EQ(channel.open(), std::error_code{});
  ASSERT_EQ(::unlink(old.address().substr(7).c_str()), 0);
  const support::Agent young{support::Agent::Way::unix_datagram, old.address()};
  EXPECT_TRUE(channel.moved());
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_FALSE(channel.moved());
}

TEST(Channel, RefusesADatagramThatNoWayCanCarry) {
  const support::Agent agent;
  Channel channel{parse_address(agent.address())};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.send(std::string(65508, 'x')), Verdict::too_big);
}

TEST(Channel, LeavesNoDescriptorToAnExecutedProgram) {
  const int before = open_descriptors_that_survive_exec();
  const std::string address = deserted_address(support::Agent::Way::udp4);
  Channel channel{parse_address(address)};
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(open_descriptors_that_survive_exec(), before);
}

}  // namespace
}  // namespace event_metrics
