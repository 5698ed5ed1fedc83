// Agents stop and start ten times in half a minute while four threads record as fast as they can.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/network.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Tally;

constexpr int threads = 4;
constexpr int restarts = 10;
constexpr auto half_a_round = 1500ms;

struct Sums {
  std::int64_t successes = 0;
  std::int64_t failures = 0;
  std::uint64_t durations = 0;
  std::uint64_t milliseconds = 0;

  void add(const Tally& tally) {
    successes += tally.counter_sum("notification.delivery.successes");
    failures += tally.counter_sum("notification.delivery.failures");
    for (const auto& [key, values] : tally.timings) {
      for (const auto& [ms, count] : values) {
        durations += count;
        milliseconds += static_cast<std::uint64_t>(ms) * count;
      }
    }
    EXPECT_EQ(tally.malformed, std::vector<std::string>{});
    EXPECT_EQ(tally.counter_sum("notification.delivery.attempts"),
              tally.counter_sum("notification.delivery.successes") +
                  tally.counter_sum("notification.delivery.failures"));  // in every life of the agent
  }
};

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
    received.add(agent->tally());
    agent.reset();
  }
  void start_agent() { agent = std::make_unique<Agent>(way, address); }

  Agent::Way way;
  std::string address;
  std::unique_ptr<Agent> agent;
  std::unique_ptr<StatsdEventMetrics> metrics;
  Sums received;
};

Sums record_until(const std::atomic<bool>& end, std::vector<std::unique_ptr<Pair>>& pairs, int thread) {
  Sums recorded;
  const std::array<std::string, 3> urls = {"https://a.example/T0", "https://b.example/T0",
                                           "https://c" + std::to_string(thread) + ".example/T0"};
  for (std::uint64_t call = 0; !end.load(std::memory_order_relaxed); ++call) {
    const std::string& url = urls[call % urls.size()];
    const std::uint64_t ms = call * 7919 % 500;
    for (const std::unique_ptr<Pair>& pair : pairs) {
      if (call % 8 == 0) {
        pair->metrics->record_delivery_failure(url, 503);
      } else {
        pair->metrics->record_delivery_success(url, std::chrono::milliseconds{ms});
      }
    }
    if (call % 8 == 0) {
      ++recorded.failures;
    } else {
      ++recorded.successes;
      recorded.milliseconds += ms;
    }
  }
  return recorded;
}

void restart_under_load(const std::vector<Agent::Way>& ways) {
  std::vector<std::unique_ptr<Pair>> pairs;
  for (const Agent::Way way : ways) pairs.push_back(std::make_unique<Pair>(way));

  std::atomic<bool> end{false};
  std::array<Sums, threads> parts;
  std::vector<std::thread> recorders;
  for (int i = 0; i < threads; ++i) {
    recorders.emplace_back([&, i] { parts[static_cast<std::size_t>(i)] = record_until(end, pairs, i); });
  }
  for (int round = 0; round < restarts; ++round) {
    std::this_thread::sleep_for(half_a_round);  // the load's time, not a wait for anything
    for (const auto& pair : pairs) pair->stop_agent();
    std::this_thread::sleep_for(half_a_round);
    for (const auto& pair : pairs) pair->start_agent();
  }
  end = true;
  for (std::thread& recorder : recorders) recorder.join();

  Sums recorded;
  for (const Sums& part : parts) {
    recorded.successes += part.successes;
    recorded.failures += part.failures;
    recorded.milliseconds += part.milliseconds;
  }
  for (const auto& pair : pairs) {
    EXPECT_TRUE(pair->metrics->flush(60s));
    const statsd::Stats stats = pair->metrics->stats();
    pair->stop_agent();
    const std::string where = pair->address;
    EXPECT_EQ(pair->received.successes, recorded.successes) << where;
    EXPECT_EQ(pair->received.failures, recorded.failures) << where;
    EXPECT_EQ(pair->received.durations, static_cast<std::uint64_t>(recorded.successes)) << where;
    EXPECT_EQ(pair->received.milliseconds, stats.coarse == 0 ? recorded.milliseconds : pair->received.milliseconds);
    EXPECT_EQ(stats.recorded, static_cast<std::uint64_t>(recorded.successes + recorded.failures)) << where;
    EXPECT_EQ(stats.accepted, stats.recorded) << where;
    EXPECT_GT(stats.datagrams_refused + stats.connect_errors, 0u) << where;
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
