// A forked child that finds no descriptor, no thread or no memory at its first call loses nothing, and says so.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/shortage.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Tally;
using Clock = std::chrono::steady_clock;
using support::Limit;
using support::no_descriptor;
using support::no_memory;
using support::no_thread;
using Way = support::Agent::Way;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";
constexpr const char* duration = "notification.delivery.duration#endpoint:a.io";

using Shortage = std::unique_ptr<Limit>();

struct Scene {
  explicit Scene(Way way, bool own_thread)
      : agent{way},
        metrics{std::make_unique<StatsdEventMetrics>(
            statsd::Options{.agent = statsd::Agent::datadog,
                            .address = agent.address(),
                            .flush_interval = 20ms,
                            .close_timeout = 300ms,
                            .own_thread = own_thread,
                            .on_error = [this](std::string_view message) { messages.emplace_back(message); }})} {
    metrics->record_delivery_error("https://parent.io/");
    (void)metrics->flush(5s);
    if (own_thread) support::wait_until_other_threads_sleep();
  }
  bool was_told(std::string_view what) const {
    for (const std::string& message : messages) {
      if (message.find(what) != std::string::npos) return true;
    }
    return false;
  }
  bool receives(std::int64_t deliveries, std::uint64_t durations) const {
    return agent.wait_for([&](const Tally& tally) {
      return tally.counter(attempts) == deliveries && tally.timing_count(duration) == durations;
    });
  }

  support::Agent agent;
  std::vector<std::string> messages;  // each process its own; read once the client has told them
  std::unique_ptr<StatsdEventMetrics> metrics;
};

// Flushed while it lasts, and after it.
void loses_nothing(Way way, bool own_thread, Shortage shortage, bool is_served_meanwhile) {
  Scene scene{way, own_thread};
  support::Child child{[&] {
    std::unique_ptr<Limit> limit = shortage();
    if (limit == nullptr) return 77;
    StatsdEventMetrics& metrics = *scene.metrics;
    metrics.record_delivery_error(url);
    metrics.record_delivery_success(url, 100ms);
    if (metrics.flush(0ms) && !is_served_meanwhile) return 1;
    if (is_served_meanwhile && !metrics.flush(5s)) return 2;
    // The flush above may have met the own thread in its turn, and left no figures of its own.
    for (const Clock::time_point end = Clock::now() + 5s; metrics.stats().recorded != 2; (void)metrics.flush(1ms)) {
      if (Clock::now() > end) return 3;
    }
    if (metrics.stats().accepted != (is_served_meanwhile ? 2U : 0U)) return 4;
    limit.reset();
    for (int call = 0; call < 1000; ++call) metrics.record_delivery_error(url);
    if (!metrics.flush(20s) || metrics.stats().accepted != 1002) return 5;
    scene.metrics.reset();
    return scene.messages.empty() ? 6 : 0;
  }};
  const int status = child.status();
  if (status == 77) GTEST_SKIP() << "threads cannot be forbidden here";
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(scene.receives(1002, 1));
}

constexpr bool threads = support::children_may_have_threads;

TEST(ForkInAShortage, OfDescriptorsLosesNothingOverUdp) { loses_nothing(Way::udp4, threads, no_descriptor, false); }
TEST(ForkInAShortage, OfDescriptorsLosesNothingOverIpv6) { loses_nothing(Way::udp6, threads, no_descriptor, false); }
TEST(ForkInAShortage, OfDescriptorsLosesNothingOverAUnixSocket) {
  loses_nothing(Way::unix_datagram, threads, no_descriptor, false);
}
TEST(ForkInAShortage, OfDescriptorsLosesNothingWithoutAThread) {
  loses_nothing(Way::udp4, false, no_descriptor, false);
}

TEST(ForkInAShortage, OfThreadsIsServedByFlush) {
  if (!threads) GTEST_SKIP() << "a child of a threaded parent may have no thread here";
  loses_nothing(Way::udp4, true, no_thread, true);
}
TEST(ForkInAShortage, OfThreadsIsServedByFlushOverIpv6) {
  if (!threads) GTEST_SKIP() << "a child of a threaded parent may have no thread here";
  loses_nothing(Way::udp6, true, no_thread, true);
}

TEST(ForkInAShortage, OfMemoryLosesNothing) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  loses_nothing(Way::udp4, true, no_memory, false);
}
TEST(ForkInAShortage, OfMemoryLosesNothingWithoutAThread) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  loses_nothing(Way::unix_datagram, false, no_memory, false);
}

// Nobody flushes: the calls that record are what tries again.
void is_over_for_who_only_records(Shortage shortage) {
  Scene scene{Way::udp4, true};
  const support::Shared<std::atomic<bool>> arrived;
  const support::Shared<std::atomic<int>> recorded;
  support::Child child{[&] {
    std::unique_ptr<Limit> limit = shortage();
    if (limit == nullptr) return 77;
    const auto record_for = [&](Clock::duration time) {
      const Clock::time_point end = Clock::now() + time;
      for (; Clock::now() < end && !*arrived; ++*recorded) {
        scene.metrics->record_delivery_success(url, 100ms);
        std::this_thread::yield();
      }
    };
    record_for(300ms);
    const int coarse = *recorded;
    limit.reset();
    record_for(20s);
    if (!scene.metrics->flush(20s)) return 1;
    if (scene.metrics->stats().coarse < static_cast<std::uint64_t>(coarse)) return 2;
    scene.metrics.reset();  // with its thread, so that what it was told can be read
    return scene.was_told("octave only") ? 0 : 3;
  }};
  *arrived = scene.agent.wait_for([](const Tally& tally) { return tally.counter(attempts) > 0; });
  EXPECT_TRUE(*arrived);
  const int status = child.status();
  if (status == 77) GTEST_SKIP() << "threads cannot be forbidden here";
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(scene.receives(*recorded, static_cast<std::uint64_t>(*recorded)));
}

TEST(ForkInAShortage, OfThreadsEndsForWhoOnlyRecords) {
  if (!threads) GTEST_SKIP() << "a child of a threaded parent may have no thread here";
  is_over_for_who_only_records(no_thread);
}
TEST(ForkInAShortage, OfMemoryEndsForWhoOnlyRecords) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  is_over_for_who_only_records(no_memory);
}
TEST(ForkInAShortage, OfDescriptorsEndsForWhoOnlyRecords) {
  if (!threads) GTEST_SKIP() << "a child of a threaded parent may have no thread here";
  Scene scene{Way::udp4, true};
  const support::Shared<std::atomic<bool>> arrived;
  support::Child child{[&] {
    std::unique_ptr<Limit> limit = no_descriptor();
    scene.metrics->record_delivery_error(url);
    limit.reset();
    for (int call = 0; call < 1000; ++call) scene.metrics->record_delivery_error(url);
    return support::eventually([&] { return arrived->load(); }) ? 0 : 1;
  }};
  *arrived = scene.receives(1001, 0);
  EXPECT_TRUE(*arrived);
  EXPECT_EQ(child.status(), 0);
}

TEST(ForkInAShortage, ThatDoesNotEndIsToldByFlushPollAndTheEnd) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  Scene scene{Way::udp4, false};
  EXPECT_EQ((support::Child{[&] {
               const std::unique_ptr<Limit> limit = no_memory();
               (void)scene.metrics->poll();  // there is nothing to tell yet
               scene.metrics->record_delivery_success(url, 100ms);
               scene.metrics->record_delivery_error(url);
               if (!scene.messages.empty()) return 1;  // never by a call that records
               const Clock::time_point next = scene.metrics->poll();
               if (next > Clock::now() + 1s) return 2;
               if (!scene.was_told("2 deliveries and 1 durations are kept")) return 3;
               if (scene.metrics->flush(150ms)) return 4;
               if (scene.messages.size() != 1) return 5;
               const statsd::Stats stats = scene.metrics->stats();
               if (stats.recorded != 2 || stats.owed != 2 || stats.timings_owed != 1 || stats.coarse != 1) return 6;
               scene.metrics.reset();
               return scene.was_told("2 deliveries and 1 durations could not be sent before the end") ? 0 : 7;
             }}.status()),
            0);
}

TEST(ForkInAShortage, IsNoneOfAGrandchilds) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  Scene scene{Way::udp4, false};
  EXPECT_EQ((support::Child{[&] {
               {
                 const std::unique_ptr<Limit> limit = no_memory();
                 scene.metrics->record_delivery_success(url, 100ms);
               }
               return support::Child{[&] {
                        scene.metrics->record_delivery_success(url, 100ms);
                        if (!scene.metrics->flush(5s) || scene.metrics->stats().coarse != 0) return 1;
                        return scene.messages.empty() ? 0 : 2;
                      }}
                   .status();
             }}.status()),
            0);
  EXPECT_TRUE(scene.receives(1, 1));
}

TEST(ForkInAShortage, EndsInTimeForTheDestructor) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  Scene scene{Way::udp4, true};
  EXPECT_EQ((support::Child{[&] {
               {
                 const std::unique_ptr<Limit> limit = no_memory();
                 scene.metrics->record_delivery_success(url, 100ms);
               }
               scene.metrics.reset();
               return 0;
             }}.status()),
            0);
  EXPECT_TRUE(scene.receives(1, 1));
}

}  // namespace
