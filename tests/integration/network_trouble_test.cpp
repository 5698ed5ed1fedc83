// A network that loses datagrams, has no way to the agent, or leads to an address where nobody is. What the README says
// of each is what is seen here.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "statsd_socket.hpp"
#include "support/agent.hpp"
#include "support/load.hpp"
#include "support/loopback.hpp"
#include "support/network.hpp"
#include "support/process.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::on_own_network;
using support::Sums;
using support::Tally;

/// Hands each datagram that comes to its address to `take`.
class Receiver {
 public:
  Receiver(const std::string& address, std::function<void(std::string_view)> take)
      : socket_{address}, take_{std::move(take)}, thread_{[this] { read(); }} {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() {
    stopping_ = true;
    thread_.join();
  }

  const std::string& address() const { return socket_.address(); }

 private:
  void read() {
    while (!stopping_) {
      pollfd readable{socket_.descriptor(), POLLIN, 0};
      (void)::poll(&readable, 1, 20);
      while (const auto datagram = socket_.receive()) take_(*datagram);
    }
  }

  statsd_socket::Socket socket_;
  std::function<void(std::string_view)> take_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// A service under load that keeps what it is told.
class Service {
 public:
  explicit Service(const std::string& address)
      : metrics_{
            {.agent = statsd::Agent::datadog, .address = address, .flush_interval = 50ms, .on_error = [this](auto m) {
               const std::lock_guard lock{mutex_};
               messages_.emplace_back(m);
             }}} {}

  StatsdEventMetrics& metrics() { return metrics_; }
  /// Records until `done`, for a minute at most.
  Sums record_until(const std::function<bool(const statsd::Stats&)>& done) {
    support::Load load{metrics_, 2};
    EXPECT_TRUE(support::eventually([&] { return done(metrics_.stats()); }));
    return load.stop();
  }
  std::vector<std::string> messages() {
    const std::lock_guard lock{mutex_};
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
  StatsdEventMetrics metrics_;
};

void ip(const std::string& command) { ASSERT_EQ(std::system(("ip " + command).c_str()), 0) << command; }

TEST(NetworkTrouble, ARelayThatLosesAFifthIsNotNoticedAndCostsAFifth) {
  const support::Agent agent;
  const int out = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = agent.ipv4();
  ASSERT_EQ(::connect(out, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  std::atomic<std::size_t> passed{0};
  Tally lost;
  Sums recorded;
  {
    const Receiver relay{"udp://127.0.0.1:0", [&](std::string_view datagram) {
                           if (++passed % 5 == 0) return lost.read_datagram(datagram);
                           EXPECT_EQ(::send(out, datagram.data(), datagram.size(), 0),
                                     static_cast<ssize_t>(datagram.size()));
                         }};
    Service service{relay.address()};
    recorded = service.record_until([](const statsd::Stats& stats) { return stats.datagrams_accepted > 500; });
    EXPECT_TRUE(service.metrics().flush(30s));
    const statsd::Stats stats = service.metrics().stats();
    EXPECT_EQ(stats.accepted, stats.recorded);
    EXPECT_EQ(stats.datagrams_refused, 0u);
    EXPECT_EQ(service.messages(), std::vector<std::string>{});
    EXPECT_TRUE(support::eventually([&] { return passed >= stats.datagrams_accepted; }));
  }
  (void)::close(out);
  EXPECT_GT(support::sums(lost).durations, 0u);  // counters are in few of them
  const Sums expected = recorded;
  EXPECT_TRUE(agent.wait_for([&](const Tally& tally) {
    return support::sums(tally) + support::sums(lost) == expected;
  })) << support::sums(agent.tally()) + support::sums(lost)
      << " of " << recorded;
}

TEST(NetworkTrouble, WithoutARouteAllIsKeptUntilThereIsOne) {
  on_own_network([] {
    ip("route add blackhole 192.0.2.1");
    Service service{"udp://192.0.2.1:8125"};
    const Sums recorded = service.record_until([](const statsd::Stats& stats) { return stats.connect_errors > 1; });
    EXPECT_FALSE(service.metrics().flush(20ms));
    const statsd::Stats stats = service.metrics().stats();
    EXPECT_EQ(stats.owed, static_cast<std::uint64_t>(recorded.successes + recorded.failures));
    EXPECT_EQ(stats.datagrams_accepted, 0u);
    ASSERT_EQ(service.messages().size(), 1u);
    EXPECT_NE(service.messages().front().find("no connection (Invalid argument)"), std::string::npos);

    ip("route del blackhole 192.0.2.1");
    ip("address add 192.0.2.1/32 dev lo");
    Tally tally;
    {
      const Receiver agent{"udp://192.0.2.1:8125", [&](std::string_view datagram) { tally.read_datagram(datagram); }};
      EXPECT_TRUE(service.metrics().flush(60s));
    }
    EXPECT_EQ(support::sums(tally), recorded);
  });
}

// The kernel asks for the neighbour's hardware address in vain. After three seconds it gives up the datagrams that it
// has held back, and names some of them.
TEST(NetworkTrouble, AnAddressThatNobodyAnswersForLosesMostOfWhatItIsSentUntilSomebodyDoes) {
  on_own_network([] {
    ip("link add em0 type veth peer name em1");
    ip("address add 203.0.113.1/24 dev em0");
    ip("link set em0 up");
    ip("link set em1 up");
    Service service{"udp://203.0.113.2:8125"};
    const Sums before = service.record_until([](const statsd::Stats& stats) { return stats.datagrams_refused > 0; });
    ASSERT_GE(service.messages().size(), 1u);
    EXPECT_NE(service.messages().front().find("(No route to host)"), std::string::npos) << service.messages().front();

    ip("address add 203.0.113.2/32 dev lo");
    Tally tally;
    {
      const Receiver agent{"udp://203.0.113.2:8125", [&](std::string_view datagram) { tally.read_datagram(datagram); }};
      EXPECT_TRUE(service.metrics().flush(60s));
      for (int i = 0; i < 1000; ++i) service.metrics().record_delivery_success("https://later.example", 1ms);
      EXPECT_TRUE(service.metrics().flush(60s));
    }
    EXPECT_EQ(tally.counter("notification.delivery.successes#endpoint:later.example"), 1000);
    EXPECT_LT(support::sums(tally).durations, before.durations);
    const statsd::Stats stats = service.metrics().stats();
    EXPECT_EQ(stats.accepted, stats.recorded);
  });
}

}  // namespace
