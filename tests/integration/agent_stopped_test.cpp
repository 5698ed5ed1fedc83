// The agent on a unix socket is stopped for ten seconds under load: all of it arrives when it goes on. What a call
// costs meanwhile is printed beside what it costs while the agent reads.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

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

/// What the agent's process tells.
struct Told {
  std::atomic<bool> ready;
  std::array<char, 100> address;
  std::atomic<std::int64_t> successes;
  std::atomic<std::int64_t> failures;
  std::atomic<std::uint64_t> durations;
  std::atomic<std::uint64_t> milliseconds;

  Sums sums() const { return {successes, failures, durations, milliseconds}; }
};

int be_agent(Told& told) {
  const Agent agent{Agent::Way::unix_datagram};
  (void)agent.address().copy(told.address.data(), told.address.size() - 1);
  told.ready = true;
  for (;;) {
    const Sums sums = support::sums(agent.tally());
    told.successes = sums.successes;
    told.failures = sums.failures;
    told.durations = sums.durations;
    told.milliseconds = sums.milliseconds;
    std::this_thread::sleep_for(20ms);
  }
}

/// What calls took, by nanosecond; the last place is for all that took longer.
class Latencies {
 public:
  void add(std::chrono::nanoseconds taken) {
    ++calls_;
    ++by_nanosecond_[std::min(static_cast<std::size_t>(taken.count()), by_nanosecond_.size() - 1)];
  }
  std::size_t percentile(double percent) const {
    const auto rank = static_cast<std::uint64_t>(static_cast<double>(calls_) * percent / 100);
    std::uint64_t seen = 0;
    for (std::size_t ns = 0; ns < by_nanosecond_.size(); ++ns) {
      if ((seen += by_nanosecond_[ns]) > rank) return ns;
    }
    return by_nanosecond_.size() - 1;
  }

 private:
  std::uint64_t calls_ = 0;
  std::array<std::uint64_t, 100'000> by_nanosecond_{};
};

void record(EventMetrics& metrics, std::chrono::seconds time, Latencies& latencies, Sums& sums) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time;
  for (auto before = Clock::now(); before < end;) {
    const std::uint64_t ms = static_cast<std::uint64_t>(sums.successes) * 7919 % 500;
    metrics.record_delivery_success("https://a.example/T0", std::chrono::milliseconds{ms});
    const auto after = Clock::now();
    latencies.add(after - before);
    before = after;
    ++sums.successes;
    ++sums.durations;
    sums.milliseconds += ms;
  }
}

void print(std::string_view what, const Latencies& latencies) {
  std::cout << what;
  for (const double percent : {50.0, 99.0, 99.9, 99.99}) {
    std::cout << "  p" << percent << ' ' << latencies.percentile(percent) << " ns";
  }
  std::cout << '\n';
}

TEST(AgentStopped, GetsAllThatWasRecordedMeanwhile) {
  const support::Shared<Told> told;
  const support::Child agent{[&] { return be_agent(*told); }};
  ASSERT_TRUE(support::eventually([&] { return told->ready.load(); }));
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = told->address.data(),
                              .flush_interval = 100ms,
                              .on_error = [](std::string_view) {}}};
  support::Load load{metrics, 1};
  Sums own;
  static Latencies reading;
  static Latencies stopped;
  record(metrics, 2s, reading, own);
  agent.signal(SIGSTOP);
  record(metrics, 4s, stopped, own);
  EXPECT_GT(metrics.stats().datagrams_delayed, 0u);
  EXPECT_GT(metrics.stats().owed, 0u);
  agent.signal(SIGCONT);
  record(metrics, 2s, reading, own);

  const Sums recorded = load.stop() + own;
  ASSERT_TRUE(metrics.flush(60s));
  (void)support::eventually([&] { return told->sums() == recorded; }, 30s);
  EXPECT_EQ(told->sums(), recorded);
  print("a call while the agent reads:     ", reading);
  print("a call while the agent is stopped:", stopped);
}

}  // namespace
