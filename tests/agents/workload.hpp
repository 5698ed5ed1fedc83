// agents/workload.hpp - 50,000 deliveries over 8 endpoints, recorded in legs at whose ends an agent is asked.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/loopback.hpp"
#include "support/process.hpp"

namespace agents {

constexpr int legs = 5;
constexpr int deliveries_per_leg = 10'000;
constexpr std::size_t endpoints = 8;
// What fits into a receive buffer of the kernel's default size even if the agent reads none of it: 85 datagrams of 1432
// bytes, which the kernel counts with 2304.
constexpr int deliveries_per_flush = 1'000;

/// What the test counted itself.
struct Counts {
  std::int64_t successes = 0;
  std::int64_t failures = 0;
  std::map<std::int64_t, std::int64_t> durations;  // milliseconds to how often

  std::int64_t attempts() const { return successes + failures; }
  std::int64_t zeros() const { return durations.contains(0) ? durations.at(0) : 0; }
  std::int64_t sum() const {
    std::int64_t sum = 0;
    for (const auto& [ms, count] : durations) sum += ms * count;
    return sum;
  }
  void add(const Counts& other) {
    successes += other.successes;
    failures += other.failures;
    for (const auto& [ms, count] : other.durations) durations[ms] += count;
  }
};

struct Recorded {
  std::array<Counts, endpoints> by_endpoint;
  std::int64_t active_tasks = 0;

  Counts total() const {
    Counts total;
    for (const Counts& counts : by_endpoint) total.add(counts);
    return total;
  }
};

inline std::string host(std::size_t endpoint) { return "hook" + std::to_string(endpoint) + ".example.com"; }

enum class Kind { fixed, random };

class Workload {
 public:
  Workload(Kind kind, event_metrics::statsd::Agent agent, int port)
      : kind_{kind},
        port_{port},
        metrics_{{.agent = agent, .address = "udp://127.0.0.1:" + std::to_string(port), .own_thread = false}} {}

  /// Records the next leg, hands it to the agent and returns what it was. The agent has then read it from its socket.
  Recorded record_leg() {
    Recorded leg;
    const std::int64_t target = next_active_tasks();
    move_active_tasks(std::max(target, all_.active_tasks) + 25);
    for (int i = 1; i <= deliveries_per_leg; ++i, ++delivery_) {
      record_delivery(leg);
      if (i == deliveries_per_leg / 2) move_active_tasks(target);
      if (i % deliveries_per_flush == 0) hand_over();
    }
    leg.active_tasks = all_.active_tasks;
    for (std::size_t i = 0; i < endpoints; ++i) all_.by_endpoint[i].add(leg.by_endpoint[i]);
    return leg;
  }

  const Recorded& all() const { return all_; }
  event_metrics::statsd::Stats stats() const { return metrics_.stats(); }

 private:
  // Up, down, below zero, further down, and up through zero: what a signed gauge can get wrong.
  std::int64_t next_active_tasks() {
    constexpr std::array<std::int64_t, legs> targets = {40, 3, -25, -700, 8};
    const std::int64_t target = targets.at(leg_++);
    return kind_ == Kind::fixed ? target : target * static_cast<std::int64_t>(1 + random_() % 9);
  }

  void move_active_tasks(std::int64_t target) {
    for (; all_.active_tasks < target; ++all_.active_tasks) metrics_.increment_active_tasks();
    for (; all_.active_tasks > target; --all_.active_tasks) metrics_.decrement_active_tasks();
  }

  void record_delivery(Recorded& leg) {
    const bool fixed = kind_ == Kind::fixed;
    const std::size_t endpoint = (fixed ? delivery_ : random_()) % endpoints;
    const std::size_t verdict = (fixed ? delivery_ / endpoints : random_()) % 10;
    // 0 ms is among them, and nothing that the library would round.
    const auto ms = static_cast<std::int64_t>(fixed ? delivery_ * 7919 % 2003 : (random_() % 64) * (random_() % 65));
    const std::string url = "https://" + host(endpoint) + "/T0/secret";
    Counts& counts = leg.by_endpoint.at(endpoint);
    if (verdict == 0) {
      metrics_.record_delivery_failure(url, 503);
    } else if (verdict == 1) {
      metrics_.record_delivery_error(url);
    } else {
      metrics_.record_delivery_success(url, std::chrono::milliseconds{ms});
      ++counts.successes;
      ++counts.durations[ms];
      return;
    }
    ++counts.failures;
  }

  void hand_over() {
    EXPECT_TRUE(metrics_.flush(std::chrono::seconds{60}));
    EXPECT_TRUE(support::eventually([this] {
      const auto socket = support::udp_socket(port_);
      return socket && socket->queued == 0;
    })) << "the agent does not read its socket";
  }

  Kind kind_;
  int port_;
  event_metrics::StatsdEventMetrics metrics_;
  Recorded all_;
  std::mt19937_64 random_{20240229};
  std::size_t delivery_ = 0;
  std::size_t leg_ = 0;
};

}  // namespace agents
