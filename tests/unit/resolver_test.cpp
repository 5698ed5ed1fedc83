#include "transport/resolver.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/un.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/names.hpp"
#include "support/process.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using support::eventually;
using support::look_up_threads;
using support::Names;
using transport::parse_address;
using transport::Resolver;
using Clock = Resolver::Clock;

std::vector<std::string> texts(const Resolver& resolver) {
  std::vector<std::string> texts;
  for (const transport::Endpoint& endpoint : resolver.endpoints()) {
    char host[INET6_ADDRSTRLEN] = "";
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(endpoint.address);
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(endpoint.address);
    const void* const address = endpoint.family() == AF_INET ? static_cast<const void*>(&v4.sin_addr) : &v6.sin6_addr;
    (void)::inet_ntop(endpoint.family(), address, host, sizeof host);
    texts.push_back(std::string{host} + ' ' + std::to_string(ntohs(v6.sin6_port)));  // at the same place in both
  }
  return texts;
}
using Texts = std::vector<std::string>;

// A look-up that is taken at `now`; names that were asked before have to hang no more.
void take(Resolver& resolver, Clock::time_point now) {
  ASSERT_TRUE(eventually([] { return look_up_threads() == 0; }));
  resolver.refresh(now);
}

// Whether a look-up begins at `now`. Leaves it hanging.
bool begins(Resolver& resolver, const std::string& name, Clock::time_point now) {
  Names::instance().hang(name);
  resolver.refresh(now);
  return look_up_threads() == 1;
}

struct NameTest : testing::Test {
  NameTest() { Names::instance().hang(name); }
  ~NameTest() override {
    names.answer(name, {"127.0.0.1"});
    EXPECT_TRUE(eventually([] { return look_up_threads() == 0; }));
  }
  const std::string name = std::string{testing::UnitTest::GetInstance()->current_test_info()->name()} + ".test";
  const transport::Address address = parse_address("udp://" + name + ":8125");
  Names& names = Names::instance();
  const Clock::time_point start = Clock::now();
};
using ResolverOfAName = NameTest;

TEST(Resolver, KnowsANumericAddressAtOnce) {
  EXPECT_EQ(texts(Resolver{parse_address("udp://127.0.0.1:8125")}), Texts{"127.0.0.1 8125"});
  EXPECT_EQ(texts(Resolver{parse_address("udp://[::1]:8125")}), Texts{"::1 8125"});
  EXPECT_EQ(look_up_threads(), 0);
}

TEST(Resolver, TakesAMappedAddressForTheIpv4AddressThatItIs) {
  EXPECT_EQ(texts(Resolver{parse_address("udp://[::ffff:10.1.2.3]:8125")}), Texts{"10.1.2.3 8125"});
}

TEST(Resolver, KnowsAnAddressWithAZoneAtOnce) {
  const Resolver resolver{parse_address("udp://[fe80::1%lo]:8125")};
  ASSERT_EQ(texts(resolver), Texts{"fe80::1 8125"});
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6&>(resolver.endpoints().front().address).sin6_scope_id,
            ::if_nametoindex("lo"));
}

TEST(Resolver, KnowsAPathAtOnce) {
  const Resolver resolver{parse_address("unix:///tmp/agent.sock")};
  ASSERT_EQ(resolver.endpoints().size(), 1u);
  EXPECT_EQ(resolver.endpoints().front().size, offsetof(sockaddr_un, sun_path) + sizeof "/tmp/agent.sock");
  EXPECT_STREQ(reinterpret_cast<const sockaddr_un&>(resolver.endpoints().front().address).sun_path, "/tmp/agent.sock");
}

TEST(Resolver, NeverLooksUpWhatCannotChange) {
  Resolver resolver{parse_address("udp://127.0.0.1:8125")};
  resolver.doubt();
  resolver.refresh(Clock::now() + 1h);
  EXPECT_EQ(look_up_threads(), 0);
}

TEST_F(ResolverOfAName, BeginsToLookUpWhenMade) {
  Resolver resolver{address};
  EXPECT_EQ(look_up_threads(), 1);
  EXPECT_EQ(resolver.error(), std::errc::operation_in_progress);
  EXPECT_EQ(resolver.error().message(), "the host name has not been resolved yet");
  EXPECT_EQ(texts(resolver), Texts{});
  names.answer(name, {"127.0.0.1", "127.0.0.2"});
  take(resolver, start);
  EXPECT_EQ(resolver.error(), std::error_code{});
  EXPECT_EQ(texts(resolver), (Texts{"127.0.0.1 8125", "127.0.0.2 8125"}));
}

TEST_F(ResolverOfAName, PutsIpv4First) {
  names.answer(name, {"::1", "127.0.0.1", "::2", "127.0.0.2"});
  Resolver resolver{address};
  take(resolver, start);
  EXPECT_EQ(texts(resolver), (Texts{"127.0.0.1 8125", "127.0.0.2 8125", "::1 8125", "::2 8125"}));
}

TEST_F(ResolverOfAName, TellsWhyANameDoesNotResolve) {
  names.fail(name, EAI_NONAME);
  Resolver resolver{address};
  take(resolver, start);
  EXPECT_EQ(resolver.error().message(), "the host name does not resolve: Name or service not known");
  EXPECT_NE(resolver.error(), std::errc::operation_in_progress);
}

TEST_F(ResolverOfAName, LosesItsPatienceWithTheFirstLookUp) {
  Resolver resolver{address};
  resolver.refresh(start + 5s);
  EXPECT_EQ(resolver.error(), std::errc::operation_in_progress);
  resolver.refresh(start + 60s);
  EXPECT_EQ(resolver.error().message(), "the resolver does not answer");
  names.answer(name, {"127.0.0.1"});
  take(resolver, start + 61s);
  EXPECT_EQ(resolver.error(), std::error_code{});
  EXPECT_EQ(texts(resolver), Texts{"127.0.0.1 8125"});
}

TEST_F(ResolverOfAName, LooksUpAgainAfterAMinuteAndNotBefore) {
  names.answer(name, {"127.0.0.1"});
  Resolver resolver{address};
  take(resolver, start);
  EXPECT_FALSE(begins(resolver, name, start + 59s));
  EXPECT_TRUE(begins(resolver, name, start + 60s));
  names.answer(name, {"127.0.0.2"});
  take(resolver, start + 61s);
  EXPECT_EQ(texts(resolver), Texts{"127.0.0.2 8125"});
}

TEST_F(ResolverOfAName, KeepsTheLastAnswerWhileTheNextLookUpHangsAndFails) {
  names.answer(name, {"127.0.0.1"});
  Resolver resolver{address};
  take(resolver, start);
  ASSERT_TRUE(begins(resolver, name, start + 60s));
  resolver.refresh(start + 24h);
  EXPECT_EQ(texts(resolver), Texts{"127.0.0.1 8125"});
  EXPECT_EQ(resolver.error(), std::error_code{});
  names.fail(name, EAI_AGAIN);
  take(resolver, start + 24h);
  EXPECT_EQ(texts(resolver), Texts{"127.0.0.1 8125"});
  EXPECT_EQ(resolver.error().message(), "the host name does not resolve: Temporary failure in name resolution");
}

TEST_F(ResolverOfAName, BeginsNoLookUpWhileOneIsOut) {
  Resolver resolver{address};
  resolver.doubt();
  resolver.refresh(start + 24h);
  EXPECT_EQ(look_up_threads(), 1);
}

TEST_F(ResolverOfAName, DoublesThePauseBetweenFailuresFromOneTo30Seconds) {
  names.fail(name, EAI_AGAIN);
  Resolver resolver{address};
  Clock::time_point now = start;
  for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    take(resolver, now);
    EXPECT_FALSE(begins(resolver, name, now + pause - 1ms)) << pause.count();
    now += pause;
    ASSERT_TRUE(begins(resolver, name, now)) << pause.count();
    names.fail(name, EAI_AGAIN);
  }
}

TEST_F(ResolverOfAName, LooksUpAfterOneSecondWhenDoubtedAndLessOftenWhenDoubtedAgain) {
  names.answer(name, {"127.0.0.1"});
  Resolver resolver{address};
  Clock::time_point now = start;
  for (const auto pause : {1s, 2s, 4s}) {
    take(resolver, now);
    resolver.doubt();
    EXPECT_FALSE(begins(resolver, name, now + pause - 1ms)) << pause.count();
    now += pause;
    ASSERT_TRUE(begins(resolver, name, now)) << pause.count();
    names.answer(name, {"127.0.0.1"});
  }
  take(resolver, now);
  ASSERT_TRUE(begins(resolver, name, now + 60s));  // a minute without doubt
  names.answer(name, {"127.0.0.1"});
  take(resolver, now + 60s);
  resolver.doubt();
  EXPECT_TRUE(begins(resolver, name, now + 61s));
}

TEST_F(ResolverOfAName, RemembersADoubtThatCameDuringALookUp) {
  Resolver resolver{address};
  resolver.doubt();
  names.answer(name, {"127.0.0.1"});
  take(resolver, start);
  EXPECT_TRUE(begins(resolver, name, start + 1s));
}

TEST_F(ResolverOfAName, EndsWithoutWaitingForTheLookUp) {
  auto resolver = std::make_unique<Resolver>(address);
  names.wait_until_asked(name, 1);
  resolver.reset();  // the test's timeout is what fails otherwise
  EXPECT_EQ(look_up_threads(), 1);
}

TEST_F(ResolverOfAName, TriesAgainWhenTheProcessMayHaveNoMoreThreads) {
  pthread_attr_t before;
  pthread_attr_t unaffordable;
  ASSERT_EQ(::pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(::pthread_getattr_default_np(&unaffordable), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&unaffordable, std::size_t{1} << 48U), 0);
  ASSERT_EQ(::pthread_setattr_default_np(&unaffordable), 0);
  Resolver resolver{address};
  ASSERT_EQ(::pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(resolver.error(), std::errc::resource_unavailable_try_again);
  EXPECT_FALSE(begins(resolver, name, start + 999ms));
  EXPECT_TRUE(begins(resolver, name, Clock::now() + 1s));
  names.answer(name, {"127.0.0.1"});
  take(resolver, start + 2s);
  EXPECT_EQ(texts(resolver), Texts{"127.0.0.1 8125"});
}

TEST(Resolver, LooksUpEightNamesOfAProcessAtOnceAndTheOthersAfterThem) {
  Names& names = Names::instance();
  std::vector<std::unique_ptr<Resolver>> resolvers;
  const auto name = [](std::size_t i) { return "crowd-" + std::to_string(i) + ".test"; };
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < 20; ++i) {
    names.hang(name(i));
    resolvers.push_back(std::make_unique<Resolver>(transport::parse_address("udp://" + name(i) + ":8125")));
  }
  for (const auto& resolver : resolvers) resolver->refresh(start + 4s);
  EXPECT_EQ(look_up_threads(), 8);
  for (const auto& resolver : resolvers) EXPECT_EQ(resolver->error(), std::errc::operation_in_progress);
  for (const auto& resolver : resolvers) resolver->refresh(start + 7s);
  for (const auto& resolver : resolvers) EXPECT_EQ(resolver->error(), std::errc::timed_out);  // also of those that wait
  for (std::size_t i = 0; i < resolvers.size(); ++i) names.answer(name(i), {"127.0.0.1"});
  EXPECT_TRUE(support::eventually([&] {
    for (const auto& resolver : resolvers) resolver->refresh(start + 9s);
    return std::ranges::none_of(resolvers, [](const auto& resolver) { return resolver->endpoints().empty(); });
  }));
  EXPECT_TRUE(support::eventually([] { return look_up_threads() == 0; }));
}

}  // namespace
}  // namespace event_metrics
