#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/agent.hpp"
#include "support/loopback.hpp"
#include "support/names.hpp"
#include "support/process.hpp"
#include "unit/flush_rig.hpp"

namespace event_metrics {
namespace {

/// A UDP port that tells where a datagram came from.
class Port {
 public:
  Port() {
    const sockaddr_in address = support::loopback(port_);  // asked for by number, it survives accept()
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { (void)::close(socket_); }

  /// From now on, as if nobody listened.
  void refuse() const {
    const sockaddr_in nobody = support::loopback(9);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody), 0);
  }
  void accept() const {
    const sockaddr everybody{};
    EXPECT_EQ(::connect(socket_, &everybody, sizeof everybody), 0);
  }

  std::string address() const { return "udp://127.0.0.1:" + std::to_string(port_); }

  /// The source port of the next datagram; 0 when none has come.
  int next_source() const {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    char byte = 0;
    auto* const any = reinterpret_cast<sockaddr*>(&from);
    return ::recvfrom(socket_, &byte, 1, MSG_DONTWAIT, any, &size) >= 0 ? ntohs(from.sin_port) : 0;
  }

 private:
  int socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int port_ = support::free_port();
};

TEST(FlushOutage, SendsFromAnotherPortEveryFiveMinutes) {
  const Port port;
  Rig rig{statsd::Agent::datadog, port.address()};
  const Clock::time_point start = Clock::now() + 1s;
  (void)rig.flush->burst(start, Urgency::routine);
  const int first = port.next_source();
  EXPECT_NE(first, 0);
  (void)rig.flush->burst(start + 4min, Urgency::routine);
  EXPECT_EQ(port.next_source(), first);
  (void)rig.flush->burst(start + 5min, Urgency::routine);
  const int second = port.next_source();
  EXPECT_NE(second, 0);
  EXPECT_NE(second, first);
}

TEST(FlushOutage, SendsFromAnotherPortAfterHalfAMinuteOfRefusals) {
  const Port port;
  Rig rig{statsd::Agent::datadog, port.address()};
  const Clock::time_point start = Clock::now() + 1s;
  (void)rig.flush->burst(start, Urgency::routine);
  const int first = port.next_source();
  EXPECT_NE(first, 0);
  const auto source_after_a_refusal_at = [&](std::chrono::seconds when) {
    port.refuse();
    (void)rig.flush->burst(start + when, Urgency::routine);
    port.accept();
    (void)rig.flush->burst(start + when + 1s, Urgency::routine);
    return port.next_source();
  };
  EXPECT_EQ(source_after_a_refusal_at(1s), first);
  EXPECT_EQ(source_after_a_refusal_at(28s), first);
  EXPECT_EQ(rig.flush->stats().datagrams_refused, 2u);
  const int second = source_after_a_refusal_at(30s);
  EXPECT_NE(second, 0);
  EXPECT_NE(second, first);
  EXPECT_EQ(rig.flush->stats().connect_errors, 0u);
}

/// A name with three addresses and an agent at one of them.
struct Addresses {
  explicit Addresses(const std::string& name) {
    support::Names::instance().answer(name, {"127.0.0.1", "127.0.0.2", "127.0.0.3"});
    rig = std::make_unique<Rig>(statsd::Agent::datadog, "udp://" + name + ":" + std::to_string(port));
    rig->recorder.failed(url);
    EXPECT_TRUE(support::eventually([] { return support::look_up_threads() == 0; }));
  }
  /// Bursts as a driver would, until the next turn of one second; the datagrams that were refused.
  std::uint64_t turn() {
    const std::uint64_t before = rig->flush->stats().datagrams_refused;
    for (const Clock::time_point end = now + 1s; now < end;) {
      std::this_thread::sleep_until(now);  // a busy kernel may refuse a little later
      now = std::min(rig->flush->burst(now, Urgency::routine).next, end);
    }
    return rig->flush->stats().datagrams_refused - before;
  }

  int port = support::free_port();
  std::unique_ptr<Rig> rig;
  Clock::time_point now = Clock::now() + 1s;
};

TEST(FlushOutage, TriesEachAddressOfANameTwiceInATurnAndTellsOnce) {
  Addresses addresses{"absent.test"};
  EXPECT_EQ(addresses.turn(), 7u);  // the first of all is no probe
  EXPECT_EQ(addresses.turn(), 6u);
  EXPECT_EQ(addresses.turn(), 6u);
  EXPECT_EQ(addresses.rig->flush->report().take().size(), 1u);
}

TEST(FlushOutage, DeliversToANamesLastAddress) {
  Addresses addresses{"last.test"};
  const support::Agent agent{support::Agent::Way::udp4, "udp://127.0.0.3:" + std::to_string(addresses.port)};
  EXPECT_EQ(addresses.turn(), 5u);
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.counter_sum("notification.delivery.attempts") == 1; }));
  EXPECT_EQ(addresses.rig->flush->stats().owed, 0u);
  EXPECT_TRUE(addresses.rig->flush->report().take().empty());  // all is well
}

TEST(FlushOutage, BeginsWithTheFirstAddressAgainAfterARefusalElsewhere) {
  Addresses addresses{"moved.test"};
  support::Names::instance().hang("moved.test");  // its next look-up would lead to the first as well
  const std::string port = std::to_string(addresses.port);
  auto last = std::make_unique<support::Agent>(support::Agent::Way::udp4, "udp://127.0.0.3:" + port);
  (void)addresses.turn();
  ASSERT_TRUE(last->wait_for_datagrams(1));
  last->leave();
  const support::Agent first{support::Agent::Way::udp4, "udp://127.0.0.1:" + port};
  addresses.rig->recorder.failed(url);
  EXPECT_EQ(addresses.turn(), 1u);
  EXPECT_TRUE(first.wait_for(
      [](const support::Tally& tally) { return tally.counter_sum("notification.delivery.attempts") == 1; }));
  support::Names::instance().answer("moved.test", {"127.0.0.1"});
}

TEST(FlushOutage, LeavesASocketOnlyWhenWhatItSentHasSettled) {
  const Port port;
  Rig rig{statsd::Agent::datadog, port.address()};
  const Clock::time_point long_ago = Clock::now() - 5min;
  rig.flush->begin_turn(long_ago);
  (void)rig.flush->burst(long_ago, Urgency::urgent);
  const Clock::time_point sent = Clock::now();
  EXPECT_NE(port.next_source(), 0);
  rig.flush->begin_turn(sent);
  const Flush::Outcome outcome = rig.flush->burst(sent, Urgency::urgent);
  EXPECT_EQ(port.next_source(), 0);
  EXPECT_LE(outcome.next, sent + 2ms);
  (void)rig.flush->burst(sent + 2ms, Urgency::urgent);
  EXPECT_NE(port.next_source(), 0);
}

// Connecting to the broadcast address fails at once, without the right to.
TEST(FlushOutage, TriesLessOftenAfterEachErrorThatSaysNothingOfTheAgent) {
  Rig rig{statsd::Agent::datadog, "udp://255.255.255.255:8125"};
  rig.recorder.success(url, 12ms);
  const Clock::time_point start = Clock::now() + 1s;
  std::string tried;
  for (int second = 0; second < 100; ++second) {
    const std::uint64_t before = rig.flush->stats().connect_errors;
    (void)rig.flush->burst(start + std::chrono::seconds{second}, Urgency::routine);
    if (rig.flush->stats().connect_errors > before) tried += std::to_string(second) + " ";
  }
  EXPECT_EQ(tried, "0 1 3 7 15 31 61 91 ");
  (void)rig.flush->burst(start + 100s, Urgency::urgent);  // who waits for it tries at once
  EXPECT_EQ(rig.flush->stats().connect_errors, 9u);
  (void)rig.flush->burst(start + 100s + 9ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 9u);
  (void)rig.flush->burst(start + 100s + 10ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 10u);
  EXPECT_EQ(rig.flush->stats().owed, 1u);
  EXPECT_GE(rig.flush->stats().oldest_owed, 100s);
}

// A path that leads to itself is an error that says nothing of the agent.
TEST(FlushOutage, TriesSoonAgainWhenAllWasWellInBetween) {
  std::string address;
  { address = support::Agent{support::Agent::Way::unix_datagram}.address(); }
  const std::string path = address.substr(7);
  Rig rig{statsd::Agent::datadog, address};
  const Clock::time_point start = Clock::now() + 1s;
  const auto errors_at = [&](int second) {
    (void)rig.flush->burst(start + std::chrono::seconds{second}, Urgency::routine);
    return rig.flush->stats().connect_errors;
  };
  ASSERT_EQ(::symlink(path.c_str(), path.c_str()), 0);
  for (int second = 0; second < 15; ++second) (void)errors_at(second);
  EXPECT_EQ(rig.flush->stats().connect_errors, 4u);  // at 0, 1, 3 and 7
  ASSERT_EQ(::unlink(path.c_str()), 0);
  {
    const support::Agent agent{support::Agent::Way::unix_datagram, address};
    for (int second = 15; second < 18; ++second) EXPECT_EQ(errors_at(second), 4u);
    EXPECT_TRUE(agent.wait_for_datagrams(2));
  }
  ASSERT_EQ(::symlink(path.c_str(), path.c_str()), 0);
  EXPECT_EQ(errors_at(18), 4u);  // refused by the old socket
  EXPECT_EQ(errors_at(19), 5u);
  EXPECT_EQ(errors_at(20), 6u);
  EXPECT_EQ(errors_at(21), 6u);
  EXPECT_EQ(errors_at(22), 7u);
  ASSERT_EQ(::unlink(path.c_str()), 0);
}

TEST(FlushOutage, TriesAnAbsentUnixSocketOnceAnInterval) {
  std::string address;
  { address = support::Agent{support::Agent::Way::unix_datagram}.address(); }
  Rig rig{statsd::Agent::datadog, address};
  const Clock::time_point start = Clock::now() + 1s;
  for (int second = 0; second < 10; ++second) {
    (void)rig.flush->burst(start + std::chrono::seconds{second}, Urgency::routine);
    EXPECT_EQ(rig.flush->stats().connect_errors, static_cast<std::uint64_t>(second) + 1);
    (void)rig.flush->burst(start + std::chrono::seconds{second} + 500ms, Urgency::routine);
    EXPECT_EQ(rig.flush->stats().connect_errors, static_cast<std::uint64_t>(second) + 1);
  }
}

TEST(FlushOutage, CountsWhatAUnixSocketRefuses) {
  auto agent = std::make_unique<support::Agent>(support::Agent::Way::unix_datagram);
  Rig rig{statsd::Agent::datadog, agent->address()};
  ASSERT_TRUE(rig.settle());
  agent.reset();
  const Clock::time_point now = Clock::now() + 1s;
  (void)rig.flush->burst(now, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().datagrams_refused, 1u);
  EXPECT_EQ(rig.flush->stats().send_errors, 0u);
}

TEST(FlushOutage, GoesOverToTheSocketThatTookThePath) {
  const support::Agent old{support::Agent::Way::unix_datagram};
  Rig rig{statsd::Agent::datadog, old.address()};
  ASSERT_TRUE(rig.settle());
  ASSERT_TRUE(old.wait_for_datagrams(1));
  ASSERT_EQ(::unlink(old.address().substr(7).c_str()), 0);
  ASSERT_TRUE(rig.settle());  // a path that is gone says nothing of the socket
  ASSERT_TRUE(old.wait_for_datagrams(2));
  const support::Agent young{support::Agent::Way::unix_datagram, old.address()};
  rig.recorder.success(url, 12ms);
  ASSERT_TRUE(rig.settle());
  EXPECT_TRUE(young.wait_for_datagrams(1));
  EXPECT_EQ(old.datagrams().size(), 2u);
}

TEST(FlushOutage, TriesAnotherSocketWhenOneStaysFull) {
  support::Agent agent{support::Agent::Way::unix_datagram};
  agent.stop();
  Rig rig{statsd::Agent::plain, agent.address(), {.limit = 300}};
  rig.succeed(3000, 0, 1);
  Clock::time_point now = Clock::now();
  rig.flush->begin_turn(now);
  for (int i = 0; i < 1000 && rig.flush->stats().datagrams_delayed == 0; ++i) {
    now = rig.flush->burst(now, Urgency::urgent).next;
  }
  ASSERT_EQ(rig.flush->stats().datagrams_delayed, 1u);
  ASSERT_EQ(::unlink(agent.address().substr(7).c_str()), 0);
  const Clock::time_point full = now;
  (void)rig.flush->burst(full + 4s, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 0u);
  (void)rig.flush->burst(full + 5s, Urgency::urgent);  // the last try with the old one
  (void)rig.flush->burst(full + 5s + 10ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 1u);
  EXPECT_GT(rig.flush->stats().timings_owed, 0u);
}

TEST(FlushOutage, KeepsASocketThatIsFullNowAndThen) {
  support::Agent agent{support::Agent::Way::unix_datagram};
  Rig rig{statsd::Agent::plain, agent.address(), {.limit = 300}};
  rig.succeed(4000, 0, 1);
  const Clock::time_point start = Clock::now();
  rig.flush->begin_turn(start);
  const auto fill = [&](Clock::time_point now) {
    agent.stop();
    const std::uint64_t before = rig.flush->stats().datagrams_delayed;
    for (int i = 0; i < 100 && rig.flush->stats().datagrams_delayed == before; ++i) {
      now = rig.flush->burst(now, Urgency::urgent).next;
    }
    EXPECT_EQ(rig.flush->stats().datagrams_delayed, before + 1);
  };
  fill(start);
  agent.start();
  ASSERT_TRUE(agent.wait_for_datagrams(rig.flush->stats().datagrams_accepted));
  fill(start + 4s);
  ASSERT_EQ(::unlink(agent.address().substr(7).c_str()), 0);  // a new socket would not find it
  (void)rig.flush->burst(start + 6s, Urgency::urgent);
  (void)rig.flush->burst(start + 6s + 10ms, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 0u);
}

// Destruction may take several turns: each tells what it would have told at the end.
TEST(FlushOutage, EndsTheActiveTasksAlsoInATurnThatBeginsAfterTheEnd) {
  std::string address;
  { address = support::Agent{support::Agent::Way::unix_datagram}.address(); }
  Rig rig{statsd::Agent::datadog, address};
  for (int i = 0; i < 3; ++i) rig.recorder.active_task(1);
  const Clock::time_point start = Clock::now() + 1s;
  rig.flush->begin_turn(start);
  rig.flush->end_active_tasks();
  (void)rig.flush->burst(start, Urgency::urgent);
  EXPECT_EQ(rig.flush->stats().connect_errors, 1u);
  const support::Agent agent{support::Agent::Way::unix_datagram, address};
  (void)rig.flush->burst(start + 2s, Urgency::urgent);
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.tally().gauges.at("notification.active_tasks"), 0);
}

TEST(FlushOutage, TellsOnceThatThereIsNoUnixSocket) {
  std::string address;
  { address = support::Agent{support::Agent::Way::unix_datagram}.address(); }
  Rig rig{statsd::Agent::datadog, address};
  rig.recorder.failed(url);
  const Clock::time_point start = Clock::now() + 1s;
  for (int second = 0; second < 5; ++second)
    (void)rig.flush->burst(start + std::chrono::seconds{second}, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().connect_errors, 5u);
  EXPECT_EQ(
      rig.flush->report().take(),
      std::vector{address + ": no connection (No such file or directory), 1 deliveries and 0 durations are kept"});
}

TEST(FlushOutage, KeepsForEverWithoutALimit) {
  std::string address;
  { address = support::Agent{}.address(); }
  Rig rig{statsd::Agent::plain, address};
  rig.succeed(3, 12, 0);
  const Clock::time_point start = Clock::now() + 1s;
  for (int hour = 0; hour < 48; ++hour) (void)rig.flush->burst(start + std::chrono::hours{hour}, Urgency::routine);
  EXPECT_EQ(rig.flush->stats().owed, 3u);
  EXPECT_EQ(rig.flush->stats().expired, 0u);
  EXPECT_GT(rig.flush->stats().oldest_owed, 0s);
}

}  // namespace
}  // namespace event_metrics
