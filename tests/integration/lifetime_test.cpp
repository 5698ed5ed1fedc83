// Threads, clients and the process come and go in every order: nothing is lost, and what is gone takes no memory.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/sanitizer.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Tally;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";

statsd::Options options(const std::string& address) {
  return {
      .agent = statsd::Agent::datadog, .address = address, .flush_interval = 10ms, .on_error = [](std::string_view) {}};
}

TEST(Lifetime, AHundredThousandShortThreadsTakeTheMemoryOfThoseAliveAtOnce) {
  constexpr int alive = 8;
  constexpr int waves = support::sanitized ? 1'250 : 12'500;  // a sanitizer's threads are far dearer
  const Agent agent;
  StatsdEventMetrics metrics{options(agent.address())};
  std::size_t memory = 0;
  for (int wave = 0; wave < waves; ++wave) {
    std::vector<std::thread> threads;
    for (int i = 0; i < alive; ++i) {
      threads.emplace_back([&, i] {
        const ActiveTask task{metrics};
        metrics.record_delivery_success(url, 1ms * i);
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (wave == 100) {
      ASSERT_TRUE(metrics.flush(10s));
      memory = metrics.stats().memory_bytes;
    }
  }
  ASSERT_TRUE(metrics.flush(10s));
  EXPECT_LT(metrics.stats().memory_bytes, memory + (1U << 20U));  // each would take a kilobyte of its own
  EXPECT_EQ(metrics.stats().coarse, 0u);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) {
    return tally.counter(attempts) == alive * waves && tally.gauges.at("notification.active_tasks") == 0;
  }));
}

std::ptrdiff_t entries(const char* folder) {
  return std::distance(std::filesystem::directory_iterator{folder}, std::filesystem::directory_iterator{});
}
std::ptrdiff_t mappings() {
  std::ifstream maps{"/proc/self/maps"};
  return std::count(std::istreambuf_iterator<char>{maps}, {}, '\n');
}

TEST(Lifetime, TwoThousandClientsOneAfterAnotherLeaveNothingBehind) {
  constexpr int clients = support::sanitized ? 1'000 : 2'000;
  const Agent agent{Agent::Way::unix_datagram};
  const auto one = [&] { StatsdEventMetrics{options(agent.address())}.record_delivery_error(url); };
  for (int i = 0; i < 10; ++i) one();
  const std::ptrdiff_t descriptors = entries("/proc/self/fd");
  const std::ptrdiff_t threads = entries("/proc/self/task");
  const std::ptrdiff_t mapped = mappings();
  for (int i = 10; i < clients; ++i) one();
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
  EXPECT_EQ(entries("/proc/self/task"), threads);
  EXPECT_LT(mappings(), mapped + 200);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == clients; }));
}

TEST(Lifetime, TwoClientsOfOneThreadKeepApart) {
  const Agent first_agent;
  const Agent second_agent;
  StatsdEventMetrics first{options(first_agent.address())};
  StatsdEventMetrics second{options(second_agent.address())};
  for (int i = 0; i < 300; ++i) (i % 3 == 0 ? first : second).record_delivery_error(url);
  ASSERT_TRUE(first.flush(10s));
  ASSERT_TRUE(second.flush(10s));
  EXPECT_TRUE(first_agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 100; }));
  EXPECT_TRUE(second_agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 200; }));
}

StatsdEventMetrics* last_words_of_threads = nullptr;
struct Farewell {
  ~Farewell() { last_words_of_threads->record_delivery_error(url); }
};

TEST(Lifetime, ThreadsMayRecordInTheirLastDestructors) {
  const Agent agent;
  StatsdEventMetrics metrics{options(agent.address())};
  last_words_of_threads = &metrics;
  for (int i = 0; i < 100; ++i) {
    std::thread{[&] {
      const thread_local Farewell before;  // destroyed after what the client keeps for the thread, or before it
      (void)before;
      if (i % 2 == 0) metrics.record_delivery_error(url);
    }}.join();
  }
  ASSERT_TRUE(metrics.flush(10s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 150; }));
}

TEST(Lifetime, ThreadsMayOutliveTheClient) {
  const Agent agent;
  auto metrics = std::make_unique<StatsdEventMetrics>(options(agent.address()));
  std::atomic<int> recorded{0};
  std::atomic<bool> destroyed{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      metrics->record_delivery_error(url);
      ++recorded;
      destroyed.wait(false);
    });
  }
  while (recorded < 4) std::this_thread::yield();
  metrics.reset();
  destroyed = true;
  destroyed.notify_all();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 4; }));
}

// The README's way for a service whose threads may record until the very end of the process.
TEST(Lifetime, AClientThatIsNeverDestroyedServesUntilTheProcessEnds) {
  const Agent agent;
  const std::string address = agent.address();
  if (!support::children_may_have_threads) GTEST_SKIP() << "no threads in a child";
  support::wait_until_other_threads_sleep();
  support::Child service{[&] {
    static StatsdEventMetrics& metrics = *new StatsdEventMetrics{options(address)};
    std::atexit([] {
      metrics.record_delivery_error(url);  // as static destructors do
      if (!metrics.flush(10s)) std::_Exit(1);
    });
    std::thread{[] {
      for (;;) metrics.increment_active_tasks();  // still at it when the process ends
    }}.detach();
    for (int i = 0; i < 9; ++i) metrics.record_delivery_error(url);
    std::exit(0);
    return 0;
  }};
  EXPECT_EQ(service.status(), 0);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 10; }));
}

}  // namespace
