// The agent's process is killed while it is behind: what is missing is what stood unread in its socket, no more and no
// less. The test holds that socket too, so that it can read what the dead process could not.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string_view>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/load.hpp"
#include "support/process.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Sums;

/// What the agent's process has read: where it is killed, a datagram is here or still in the socket.
struct Read {
  std::array<std::array<char, 2048>, 4096> datagrams;
  std::atomic<unsigned> complete;
};

int read_slowly(int socket, Read& read) {
  for (auto& datagram : read.datagrams) {
    if (::recv(socket, datagram.data(), datagram.size() - 1, 0) < 0) return 1;
    ++read.complete;
    ::usleep(5000);  // slower than what comes
  }
  return 0;
}

Sums sums(const Read& read) {
  support::Tally tally;
  for (const auto& datagram : read.datagrams) tally.read_datagram(std::string_view{datagram.data()});
  EXPECT_EQ(tally.malformed, std::vector<std::string>{});
  return support::sums(tally);
}

void kill_agent(Agent::Way way) {
  auto agent = std::make_unique<Agent>(way);
  agent->stop();  // not this process reads
  const std::string address = agent->address();
  const support::Shared<Read> read;
  support::Child process{[&] { return read_slowly(agent->socket(), *read); }};

  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = address,
                              .flush_interval = 10ms,
                              .max_datagram_bytes = 1432,
                              .on_error = [](std::string_view) {}}};
  support::Load load{metrics, 2};
  ASSERT_TRUE(support::eventually([&] { return read->complete >= 100; }));
  process.signal(SIGKILL);
  ASSERT_EQ(process.status(), 128 + SIGKILL);
  agent->leave();
  const Sums unread = support::sums(agent->tally());
  EXPECT_NE(unread, Sums{});
  agent.reset();
  agent = std::make_unique<Agent>(way, address);

  const Sums recorded = load.stop();
  ASSERT_TRUE(metrics.flush(30s));
  agent->leave();
  const Sums arrived = sums(*read) + support::sums(agent->tally());
  EXPECT_EQ(arrived + unread, recorded);
}

TEST(AgentKilled, LosesWhatItHadNotReadOverUdpIpv4) { kill_agent(Agent::Way::udp4); }
TEST(AgentKilled, LosesWhatItHadNotReadOverUdpIpv6) { kill_agent(Agent::Way::udp6); }
TEST(AgentKilled, LosesWhatItHadNotReadOverUnixDatagram) { kill_agent(Agent::Way::unix_datagram); }

}  // namespace
