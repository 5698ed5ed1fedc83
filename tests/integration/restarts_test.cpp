// Agents stop and start ten times in half a minute while four threads record as fast as they can.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/load.hpp"
#include "support/network.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Sums;

constexpr int threads = 4;
constexpr int restarts = 10;
constexpr auto half_a_round = 750ms;

/// A client and the agent that it reports to.
struct Pair {
  explicit Pair(Agent::Way transport) : way{transport}, agent{std::make_unique<Agent>(way)} {
    metrics = std::make_unique<StatsdEventMetrics>(statsd::Options{.agent = statsd::Agent::datadog,
                                                                   .address = agent->address(),
                                                                   .flush_interval = 100ms,
                                                                   .on_error = [](std::string_view) {}});
  }
  void stop_agent() {
    address = agent->address();
    agent->leave();
    const support::Tally tally = agent->tally();
    const Sums sums = support::sums(tally);
    EXPECT_EQ(tally.malformed, std::vector<std::string>{});
    EXPECT_EQ(tally.counter_sum("notification.delivery.attempts"), sums.successes + sums.failures);  // in every life
    received += sums;
    agent.reset();
  }
  void start_agent() { agent = std::make_unique<Agent>(way, address); }

  Agent::Way way;
  std::string address;
  std::unique_ptr<Agent> agent;
  std::unique_ptr<StatsdEventMetrics> metrics;
  Sums received;
};

/// Records with all of them.
class Everywhere final : public EventMetrics {
 public:
  explicit Everywhere(const std::vector<std::unique_ptr<Pair>>& pairs) : pairs_{pairs} {}

  void record_delivery_success(std::string_view url, std::chrono::nanoseconds duration) noexcept override {
    for (const auto& pair : pairs_) pair->metrics->record_delivery_success(url, duration);
  }
  void record_delivery_failure(std::string_view url, int status) noexcept override {
    for (const auto& pair : pairs_) pair->metrics->record_delivery_failure(url, status);
  }
  void record_delivery_error(std::string_view) noexcept override {}
  void increment_active_tasks() noexcept override {}
  void decrement_active_tasks() noexcept override {}

 private:
  const std::vector<std::unique_ptr<Pair>>& pairs_;
};

void restart_under_load(const std::vector<Agent::Way>& ways) {
  std::vector<std::unique_ptr<Pair>> pairs;
  for (const Agent::Way way : ways) pairs.push_back(std::make_unique<Pair>(way));
  Everywhere everywhere{pairs};
  support::Load load{everywhere, threads};
  for (int round = 0; round < restarts; ++round) {
    std::this_thread::sleep_for(half_a_round);  // the load's time, not a wait for anything
    for (const auto& pair : pairs) pair->stop_agent();
    std::this_thread::sleep_for(half_a_round);
    for (const auto& pair : pairs) pair->start_agent();
  }
  const Sums recorded = load.stop();
  for (const auto& pair : pairs) {
    EXPECT_TRUE(pair->metrics->flush(60s));
    const statsd::Stats stats = pair->metrics->stats();
    pair->stop_agent();
    if (stats.coarse != 0) pair->received.milliseconds = recorded.milliseconds;
    EXPECT_EQ(pair->received, recorded) << pair->address;
    EXPECT_EQ(stats.recorded, static_cast<std::uint64_t>(recorded.successes + recorded.failures)) << pair->address;
    EXPECT_EQ(stats.accepted, stats.recorded) << pair->address;
    EXPECT_GT(stats.datagrams_refused + stats.connect_errors, 0u) << pair->address;
  }
}

TEST(Restarts, LoseAndDoubleNothing) {
  restart_under_load({Agent::Way::udp4, Agent::Way::udp6, Agent::Way::unix_datagram});
}

TEST(Restarts, LoseAndDoubleNothingWhereRefusalsComeLate) {
  bool permitted = false;
  bool steered = false;
  std::thread{[&] {
    permitted = support::own_network();
    steered = permitted && support::steer_loopback();
    if (steered) restart_under_load({Agent::Way::udp4, Agent::Way::udp6});
  }}.join();
  if (!permitted) GTEST_SKIP() << "no right to a network namespace";
  if (!steered) GTEST_SKIP() << "no receive packet steering";
}

}  // namespace
