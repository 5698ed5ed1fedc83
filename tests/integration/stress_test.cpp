// Eight threads record while a ninth flushes: what the test counted itself is what an independent receiver counted.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/load.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

constexpr int threads = 8;
constexpr int calls = 50'000;
constexpr int endpoints = 12;

std::string host(int endpoint) { return "hook" + std::to_string(endpoint) + ".example.com"; }

struct Counts {
  std::int64_t successes = 0;
  std::int64_t failures = 0;
  std::map<std::int64_t, std::uint64_t> durations;
};
using Truth = std::array<Counts, endpoints>;

Truth record(EventMetrics& metrics, int thread) {
  Truth truth;
  std::mt19937 random{static_cast<unsigned>(thread)};
  std::lognormal_distribution<double> duration{4.8, 0.9};
  for (int call = 0; call < calls; ++call) {
    const int endpoint = static_cast<int>(random() % endpoints);
    const std::string url = "https://" + host(endpoint) + "/T0/secret";
    const ActiveTask task{metrics};
    if (random() % 8 == 0) {
      metrics.record_delivery_failure(url, 503);
      ++truth[static_cast<std::size_t>(endpoint)].failures;
    } else {
      const auto ms = static_cast<std::int64_t>(std::min(duration(random), 4000.0));
      metrics.record_delivery_success(url, std::chrono::milliseconds{ms});
      ++truth[static_cast<std::size_t>(endpoint)].successes;
      ++truth[static_cast<std::size_t>(endpoint)].durations[ms];
    }
  }
  return truth;
}

void stress(support::Agent::Way way) {
  support::Agent agent{way};
  std::array<Truth, threads> truths;
  statsd::Stats stats;
  {
    StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                                .address = agent.address(),
                                .flush_interval = 10ms,
                                .close_timeout = 10s,
                                .max_memory_bytes = 256U << 20U}};
    std::vector<std::thread> recorders;
    for (int i = 0; i < threads; ++i) {
      recorders.emplace_back([&, i] { truths[static_cast<std::size_t>(i)] = record(metrics, i); });
    }
    for (std::thread& recorder : recorders) recorder.join();
    EXPECT_TRUE(metrics.flush(30s));
    stats = metrics.stats();
  }
  EXPECT_EQ(stats.recorded, std::uint64_t{threads} * calls);
  EXPECT_EQ(stats.accepted, stats.recorded);
  EXPECT_EQ(stats.timings_accepted, stats.timings_recorded);

  Truth truth;
  for (const Truth& part : truths) {
    for (std::size_t i = 0; i < endpoints; ++i) {
      truth[i].successes += part[i].successes;
      truth[i].failures += part[i].failures;
      for (const auto& [ms, count] : part[i].durations) truth[i].durations[ms] += count;
    }
  }
  ASSERT_TRUE(agent.wait_for([](const support::Tally& tally) {
    return tally.counter_sum("notification.delivery.attempts") >= std::int64_t{threads} * calls &&
           static_cast<std::int64_t>(tally.timing_count_sum("notification.delivery.duration")) >=
               tally.counter_sum("notification.delivery.successes");
  }));
  const support::Tally tally = agent.tally();
  EXPECT_EQ(tally.malformed, std::vector<std::string>{});
  EXPECT_EQ(tally.gauges.at("notification.active_tasks"), 0);
  for (std::size_t i = 0; i < endpoints; ++i) {
    const std::string tags = "#endpoint:" + host(static_cast<int>(i));
    EXPECT_EQ(tally.counter("notification.delivery.attempts" + tags), truth[i].successes + truth[i].failures);
    EXPECT_EQ(tally.counter("notification.delivery.successes" + tags), truth[i].successes);
    EXPECT_EQ(tally.counter("notification.delivery.failures" + tags), truth[i].failures);
    EXPECT_EQ(static_cast<std::int64_t>(tally.timing_count("notification.delivery.duration" + tags)),
              truth[i].successes);
    if (stats.coarse == 0) {
      EXPECT_EQ(tally.timings.at("notification.delivery.duration" + tags), truth[i].durations);
    }
  }
}

// Each turn would bring more than leaves within its interval.
TEST(Stress, FlushesWhatWasRecordedBeforeUnderALoadThatNeverEnds) {
  support::Agent agent;
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 1ms, .close_timeout = 0ms}};
  support::Load load{metrics, 4};
  ASSERT_TRUE(agent.wait_for_datagrams(100));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(metrics.flush(10s));
  const support::Sums recorded = load.stop();
  EXPECT_TRUE(metrics.flush(10s));
  agent.leave();
  EXPECT_EQ(support::sums(agent.tally()), recorded);
}

TEST(Stress, CountsAreEqualOverUdpIpv4) { stress(support::Agent::Way::udp4); }
TEST(Stress, CountsAreEqualOverUdpIpv6) { stress(support::Agent::Way::udp6); }
TEST(Stress, CountsAreEqualOverUnixDatagram) { stress(support::Agent::Way::unix_datagram); }

}  // namespace
