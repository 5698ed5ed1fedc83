#include "transport/channel.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/names.hpp"
#include "support/process.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using support::Names;
using transport::Channel;
using transport::parse_address;
using transport::Verdict;
using Clock = transport::Resolver::Clock;

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

/// The first socket among the descriptors from `first` on.
int descriptor_of_a_socket_from(int first) {
  struct stat file {};
  while (::fstat(first, &file) != 0 || !S_ISSOCK(file.st_mode)) ++first;
  return first;
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

// Opens once the look-up has ended, well or not.
std::error_code open_when_resolved(Channel& channel, Clock::time_point now = Clock::now()) {
  std::error_code error;
  (void)support::eventually([&] {
    (void)channel.refresh(now);
    error = channel.open();
    return error != std::errc::operation_in_progress;
  });
  return error;
}

std::string port_of(const std::string& address) { return address.substr(address.rfind(':')); }

TEST(Channel, ResolvesLocalhost) {
  const support::Agent agent{support::Agent::Way::localhost};
  Channel channel{parse_address("udp://localhost" + port_of(agent.address()))};
  ASSERT_EQ(open_when_resolved(channel), std::error_code{});
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
}

TEST(Channel, CannotOpenBeforeItsNameIsResolved) {
  Names::instance().hang("unresolved.test");
  Channel channel{parse_address("udp://unresolved.test:8125")};
  EXPECT_FALSE(channel.refresh(Clock::now()));
  EXPECT_EQ(channel.open(), std::errc::operation_in_progress);
  EXPECT_FALSE(channel.is_open());
  Names::instance().fail("unresolved.test", EAI_NONAME);
  EXPECT_EQ(open_when_resolved(channel).message(), "the host name does not resolve: Name or service not known");
  EXPECT_FALSE(channel.is_open());
}

// Nobody may send to everybody unasked.
TEST(Channel, ConnectsToTheNextEndpointWhenTheFirstCannotBe) {
  const support::Agent agent{support::Agent::Way::udp6};
  Names::instance().answer("next.test", {"255.255.255.255", "::1"});
  Channel channel{parse_address("udp://next.test" + port_of(agent.address()))};
  ASSERT_EQ(open_when_resolved(channel), std::error_code{});
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
}

// Whether the channel has to be opened anew once its name means `addresses`.
bool leaves(Channel& channel, const std::string& name, std::vector<std::string> addresses, Clock::time_point now) {
  Names::instance().answer(name, std::move(addresses));
  (void)channel.refresh(now);
  EXPECT_TRUE(support::eventually([] { return support::look_up_threads() == 0; }));
  return channel.refresh(now);
}

TEST(Channel, LeavesAnEndpointThatItsNameHasNoMore) {
  const Clock::time_point start = Clock::now();
  Names::instance().answer("moves.test", {"127.0.0.1"});
  Channel channel{parse_address("udp://moves.test:8125")};
  ASSERT_EQ(open_when_resolved(channel, start), std::error_code{});
  EXPECT_FALSE(leaves(channel, "moves.test", {"127.0.0.2", "127.0.0.1"}, start + 1min));
  EXPECT_TRUE(leaves(channel, "moves.test", {"127.0.0.2"}, start + 2min));
  EXPECT_TRUE(channel.refresh(start + 2min));  // until it was opened anew
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_FALSE(channel.refresh(start + 2min));
}

TEST(Channel, StaysWhereItIsWhenItsNameIsGone) {
  const Clock::time_point start = Clock::now();
  Names::instance().answer("gone.test", {"127.0.0.1"});
  Channel channel{parse_address("udp://gone.test:8125")};
  ASSERT_EQ(open_when_resolved(channel, start), std::error_code{});
  Names::instance().fail("gone.test", EAI_NONAME);
  EXPECT_FALSE(channel.refresh(start + 1min));
  ASSERT_TRUE(support::eventually([] { return support::look_up_threads() == 0; }));
  EXPECT_FALSE(channel.refresh(start + 1min));
  EXPECT_EQ(channel.open(), std::error_code{});
}

TEST(Channel, LooksItsNameUpAgainAfterARefusal) {
  const Clock::time_point start = Clock::now();
  Names::instance().answer("refused.test", {"127.0.0.1"});
  Channel channel{parse_address("udp://refused.test" + port_of(deserted_address(support::Agent::Way::localhost)))};
  ASSERT_EQ(open_when_resolved(channel, start), std::error_code{});
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  EXPECT_TRUE(channel.next_refusal().has_value());
  EXPECT_TRUE(leaves(channel, "refused.test", {"127.0.0.2"}, start + 1s));
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
  EXPECT_EQ(channel.error(), std::errc::connection_refused);
  EXPECT_FALSE(channel.next_refusal().has_value());
  EXPECT_EQ(channel.send("short"), Verdict::accepted);  // a refusal that was read is not told again
  const auto whole = channel.next_refusal();
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(*whole, "short");
}

TEST(Channel, QuotesTheFirst520BytesOfADatagramRefusedOverIpv4) { quotes(support::Agent::Way::udp4, 520); }
TEST(Channel, QuotesTheFirst1184BytesOfADatagramRefusedOverIpv6) { quotes(support::Agent::Way::udp6, 1184); }

TEST(Channel, QuotesLessOnceLessHasComeBack) {
  Channel channel{parse_address(deserted_address(support::Agent::Way::udp4))};
  ASSERT_EQ(channel.open(), std::error_code{});
  channel.quotes_less(344);
  EXPECT_EQ(channel.quoted_bytes(), 344u);
  channel.quotes_less(400);
  channel.close();
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.quoted_bytes(), 344u);
  channel.quotes_less(0);
  EXPECT_EQ(channel.quoted_bytes(), 0u);
  EXPECT_TRUE(channel.tells_refusals());
}

/// Of the process's one socket.
std::string peer() {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  std::array<char, INET_ADDRSTRLEN> text{};
  (void)::getpeername(descriptor_of_a_socket_from(3), reinterpret_cast<sockaddr*>(&address), &size);
  return ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
}

TEST(Channel, GoesOnToANamesNextEndpointOnceAndThenBeginsWithTheFirstAgain) {
  const Clock::time_point start = Clock::now();
  Names::instance().answer("three.test", {"127.0.0.1", "127.0.0.2", "127.0.0.3"});
  Channel channel{parse_address("udp://three.test:8125")};
  ASSERT_EQ(open_when_resolved(channel, start), std::error_code{});
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_FALSE(channel.went_on());
  for (const char* next : {"127.0.0.2", "127.0.0.3"}) {
    ASSERT_TRUE(channel.has_next());
    channel.go_on();
    ASSERT_EQ(channel.open(), std::error_code{});
    EXPECT_EQ(peer(), next);
    EXPECT_TRUE(channel.went_on());
  }
  EXPECT_FALSE(channel.has_next());
  channel.go_on();  // nowhere
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_FALSE(channel.went_on());
}

TEST(Channel, LeavesTheEndpointThatItWentOnToOnceItsNameHasBeenLookedUp) {
  const Clock::time_point start = Clock::now();
  Names::instance().answer("two.test", {"127.0.0.1", "127.0.0.2"});
  Channel channel{parse_address("udp://two.test:8125")};
  ASSERT_EQ(open_when_resolved(channel, start), std::error_code{});
  EXPECT_FALSE(leaves(channel, "two.test", {"127.0.0.1", "127.0.0.2"}, start + 1min));
  channel.go_on();
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_TRUE(leaves(channel, "two.test", {"127.0.0.1", "127.0.0.2"}, start + 3min));
}

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

// A service may close what it does not know, as daemons do, and open files of its own.
TEST(Channel, DoesNotTouchWhatHasTakenItsDescriptorsPlace) {
  for (const auto way : {support::Agent::Way::udp4, support::Agent::Way::udp6, support::Agent::Way::unix_datagram}) {
    const support::Agent agent{way};
    Channel channel{parse_address(agent.address())};
    const int next = ::dup(0);  // the lowest that is free
    (void)::close(next);
    ASSERT_EQ(channel.open(), std::error_code{});
    EXPECT_FALSE(channel.lost());
    const int services = descriptor_of_a_socket_from(next);
    const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::dup3(file, services, O_CLOEXEC), services);
    EXPECT_TRUE(channel.lost());
    EXPECT_FALSE(channel.is_open());
    EXPECT_FALSE(channel.lost());
    ASSERT_EQ(channel.open(), std::error_code{});
    EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
    EXPECT_TRUE(agent.wait_for_datagrams(1));
    channel.close();
    EXPECT_GE(::fcntl(services, F_GETFD), 0);  // still the service's
    (void)::close(services);
    (void)::close(file);
  }
}

// What a daemon without standard descriptors writes to its standard error must not arrive at the agent.
TEST(Channel, TakesNoStandardDescriptor) {
  const support::Agent agent;
  support::Child daemon{[&agent] {
    for (const int descriptor : {0, 1, 2}) (void)::close(descriptor);
    Channel channel{parse_address(agent.address())};
    if (channel.open()) return 1;
    for (const int descriptor : {0, 1, 2}) {
      if (::fcntl(descriptor, F_GETFD) >= 0) return 2;
    }
    return channel.send("a:1|c") == Verdict::accepted ? 0 : 3;
  }};
  EXPECT_EQ(daemon.status(), 0);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
}

TEST(Channel, OpensAnewWhereItsDescriptorWasClosed) {
  const support::Agent agent;
  Channel channel{parse_address(agent.address())};
  const int next = ::dup(0);
  (void)::close(next);
  ASSERT_EQ(channel.open(), std::error_code{});
  ASSERT_EQ(::close_range(static_cast<unsigned>(descriptor_of_a_socket_from(next)), ~0U, 0), 0);
  EXPECT_TRUE(channel.lost());
  ASSERT_EQ(channel.open(), std::error_code{});
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
}

TEST(Channel, IsClosedInAForkedChildAndStaysOpenInTheParent) {
  const support::Agent agent;
  Channel channel{parse_address(agent.address())};
  const int next = ::dup(0);
  (void)::close(next);
  ASSERT_EQ(channel.open(), std::error_code{});
  const int descriptor = descriptor_of_a_socket_from(next);
  support::Child child{[&] {
    channel.close_in_child();
    if (::fcntl(descriptor, F_GETFD) >= 0) return 1;
    if (::dup2(0, descriptor) != descriptor) return 2;
    channel.close_in_child();
    return ::fcntl(descriptor, F_GETFD) >= 0 ? 0 : 3;
  }};
  EXPECT_EQ(child.status(), 0);
  EXPECT_EQ(channel.send("a:1|c"), Verdict::accepted);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
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
