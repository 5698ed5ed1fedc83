// What an absent agent refuses comes back, also where the network names little of it or the kernel little of anything;
// and a socket that was given the agent's port is no agent.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/network.hpp"
#include "support/process.hpp"
#include "support/system_calls.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::on_own_network;
using support::Refused;
using support::Tally;
using Way = support::Agent::Way;

statsd::Options options(const std::string& address) {
  return {.agent = statsd::Agent::datadog,
          .address = address,
          .flush_interval = 20ms,
          .close_timeout = 0ms,
          .own_thread = false,
          .on_error = [](std::string_view) {}};
}

bool receives(const Agent& agent, std::int64_t deliveries) {
  return agent.wait_for(
      [&](const Tally& tally) { return tally.counter_sum("notification.delivery.attempts") == deliveries; });
}

void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

// With two ports to choose from, every other socket is given the agent's own.
void is_not_its_own_agent(Way way, const std::string& address) {
  ASSERT_TRUE(std::ofstream{"/proc/sys/net/ipv4/ip_local_port_range"} << "8125 8126" << std::flush);
  for (int client = 0; client < 100; ++client) {
    StatsdEventMetrics metrics{options(address)};
    metrics.record_delivery_error("https://a.io/");
    EXPECT_FALSE(metrics.flush(5ms));
    EXPECT_EQ(metrics.stats().accepted, 0u);
  }
  StatsdEventMetrics metrics{options(address)};
  for (int call = 0; call < 500; ++call) {
    metrics.record_delivery_error("https://a.io/");
    (void)metrics.poll();
  }
  EXPECT_FALSE(metrics.flush(50ms));
  const Agent agent{way, address};  // its port is free
  EXPECT_TRUE(metrics.flush(10s));
  EXPECT_TRUE(receives(agent, 500));
}

TEST(Refusals, OfNobodyAreNotTakenByASocketThatHasTheAgentsPort) {
  on_own_network([] { is_not_its_own_agent(Way::localhost, "udp://127.0.0.1:8125"); });
}
TEST(Refusals, OfNobodyAreNotTakenByAnIpv6SocketThatHasTheAgentsPort) {
  on_own_network([] { is_not_its_own_agent(Way::udp6, "udp://[::1]:8125"); });
}

// Twenty turns of many series, whose datagrams begin alike; nobody listens, and then somebody does.
void comes_back_whole(const std::string& address, const std::function<void(const std::function<void()>&)>& at_agent) {
  StatsdEventMetrics metrics{options(address)};
  for (int turn = 0; turn < 20; ++turn) {
    for (int host = 0; host < 60; ++host) {
      metrics.record_delivery_success("https://" + std::to_string(host) + ".example.com/",
                                      std::chrono::milliseconds{turn});
    }
    EXPECT_FALSE(metrics.flush(15ms));
  }
  at_agent([&] {
    const Agent agent{Way::udp4, address};
    EXPECT_TRUE(metrics.flush(20s));
    EXPECT_TRUE(receives(agent, 1200));
    EXPECT_TRUE(agent.wait_for(
        [](const Tally& tally) { return tally.timing_count_sum("notification.delivery.duration") == 1200; }));
    EXPECT_EQ(metrics.stats().accepted, 1200u);
  });
}

// Less of a datagram comes back than of a larger packet.
TEST(Refusals, AreExactWherePacketsAreSmall) {
  on_own_network([] {
    run("ip link set lo mtu 400");
    comes_back_whole("udp://127.0.0.1:8125", [](const auto& listen) { listen(); });
  });
}

// Another host whose way back is narrower than the way there: nothing here tells how much it will quote.
TEST(Refusals, AreExactWhereLessComesBackThanIsKnown) {
  on_own_network([] {
    run("mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip netns add peer");
    run("ip link add here type veth peer name there netns peer");
    run("ip addr add 10.9.0.1/24 dev here && ip link set here up");
    run("ip netns exec peer sh -c 'ip addr add 10.9.0.2/24 dev there && ip link set there up && "
        "ip route change 10.9.0.0/24 dev there src 10.9.0.2 mtu lock 400 && echo 0 "
        ">/proc/sys/net/ipv4/icmp_ratelimit'");
    comes_back_whole("udp://10.9.0.2:8125", [](const auto& listen) {
      std::thread{[&] {
        const int peer = ::open("/run/netns/peer", O_RDONLY | O_CLOEXEC);
        ASSERT_EQ(::setns(peer, CLONE_NEWNET), 0);
        (void)::close(peer);
        listen();
      }}.join();
    });
  });
}

/// Answers each datagram with `answers` of its own, to whoever sent it, until it ends.
class Answering {
 public:
  Answering(const std::string& address, int answers) : answers_{answers} {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    thread_ = std::thread{[this] { read(); }};
  }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  ~Answering() {
    stopping_ = true;
    thread_.join();
    (void)::close(socket_);
  }

  int answered() const { return answered_; }

 private:
  void read() {
    while (!stopping_) {
      pollfd readable{socket_, POLLIN, 0};
      if (::poll(&readable, 1, 5) == 1) answer();
    }
  }
  void answer() {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    char byte = 0;
    (void)::recvfrom(socket_, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size);
    const std::string text(100, 'x');
    for (int i = 0; i < answers_; ++i, ++answered_) {
      (void)::sendto(socket_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
    }
  }

  const int answers_;
  const int socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::atomic<int> answered_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// What is not read fills a buffer in which refusals have to find room.
bool comes_back_from_an_agent_that_answers() {
  std::string address;
  { address = Agent{Way::localhost}.address(); }
  StatsdEventMetrics metrics{options(address)};
  {
    const Answering agent{address, 2000};
    metrics.record_delivery_error("https://a.io/");
    if (!metrics.flush(5s)) return false;
    if (!support::eventually([&] { return agent.answered() >= 2000; })) return false;
  }
  for (int turn = 0; turn < 50; ++turn) {
    metrics.record_delivery_error("https://a.io/");
    if (metrics.flush(5ms)) return false;
  }
  const Agent agent{Way::localhost, address};
  return metrics.flush(20s) && receives(agent, 50) && metrics.stats().accepted == 51;
}

TEST(Refusals, AreExactWhereAnAgentAnswers) { EXPECT_TRUE(comes_back_from_an_agent_that_answers()); }

constexpr auto recverr = static_cast<std::uint32_t>(IP_RECVERR);
constexpr auto recverr6 = static_cast<std::uint32_t>(IPV6_RECVERR);
constexpr auto filter = static_cast<std::uint32_t>(SO_ATTACH_FILTER);

// Few answers, as they are read 64 at a time.
TEST(Refusals, AreExactWhereAnAgentAnswersAndTheKernelTakesNoFilter) {
  EXPECT_EQ((support::Child{[] {
               if (!support::refuse_system_calls({{SYS_setsockopt, 2, filter}})) return 77;
               return comes_back_from_an_agent_that_answers() ? 0 : 1;
             }}.status()),
            0);
}

// As in gVisor, and in sandboxes that know few system calls. What that costs is told once.
void sends_all_the_same(Way way, const std::vector<Refused>& refused, int told) {
  const Agent agent{way};
  EXPECT_EQ((support::Child{[&] {
               int messages = 0;
               statsd::Options sandboxed = options(agent.address());
               sandboxed.on_error = [&](std::string_view message) {
                 messages += message.find("IP_RECVERR") != std::string_view::npos ? 1 : 100;
               };
               if (!support::refuse_system_calls(refused)) return 77;
               StatsdEventMetrics metrics{std::move(sandboxed)};
               for (int call = 0; call < 100; ++call) metrics.record_delivery_error("https://a.io/");
               if (!metrics.flush(5s) || metrics.stats().accepted != 100) return 1;
               return messages == told ? 0 : 2;
             }}.status()),
            0);
  EXPECT_TRUE(receives(agent, 100));
}

TEST(Refusals, AreNotNeededToSendOverIpv4) { sends_all_the_same(Way::udp4, {{SYS_setsockopt, 2, recverr}}, 1); }
TEST(Refusals, AreNotNeededToSendOverIpv6) { sends_all_the_same(Way::udp6, {{SYS_setsockopt, 2, recverr6}}, 1); }
TEST(Refusals, NeedNeitherIoctlNorEpoll) {
  const std::vector<Refused> refused{{SYS_ioctl}, {SYS_epoll_create1}, {SYS_epoll_ctl}};
  sends_all_the_same(Way::udp4, refused, 0);
  sends_all_the_same(Way::unix_datagram, refused, 0);
}
TEST(Refusals, NeedNoSocketOptionAtAll) {
  sends_all_the_same(Way::udp4, {{SYS_setsockopt}, {SYS_getsockopt}, {SYS_ioctl}, {SYS_epoll_create1}}, 1);
}

// Nothing may wait where an agent's queue is full and Asio could not be told not to.
TEST(Refusals, NeedNoIoctlForACallThatDoesNotWait) {
  Agent agent{Way::unix_datagram};
  agent.stop();
  EXPECT_EQ((support::Child{[&] {
               if (!support::refuse_system_calls({{SYS_ioctl}})) return 77;
               statsd::Options many = options(agent.address());
               StatsdEventMetrics metrics{std::move(many)};
               for (int turn = 0; turn < 2000; ++turn) {
                 metrics.record_delivery_error("https://a.io/");
                 (void)metrics.flush(1ms);
                 if (metrics.stats().datagrams_delayed > 0) return 0;
               }
               return 1;
             }}.status()),
            0);
}

}  // namespace
