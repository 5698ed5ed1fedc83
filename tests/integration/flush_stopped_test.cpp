// The client's own thread is stopped wherever it may be kept waiting, with all that it holds there: the calls of other
// threads go on beside it, of new ones and of endpoints that nobody has seen too, and so does stats().

#include <gtest/gtest.h>

#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/calls.hpp"
#include "support/gate.hpp"
#include "support/process.hpp"
#include "support/silent_agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Calls;
using support::gate;
using support::Place;

constexpr unsigned threads = 4;
constexpr unsigned calls_of_a_thread = 250'000;

statsd::Options options(const std::string& address) {
  return {.agent = statsd::Agent::datadog,
          .address = address,
          .flush_interval = 1ms,
          .close_timeout = 0ms,
          .on_error = [](std::string_view) { gate.pass(Place::tells); }};
}

/// Threads that have been seen, with all that they call with, and now wait for their turn.
class Callers {
 public:
  Callers(EventMetrics& metrics, unsigned calls) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, &metrics, calls] {
        support::of_the_test = true;
        Calls of_this_thread;
        of_this_thread.make(metrics, Calls::seen);
        turn_.arrive_and_wait();
        turn_.arrive_and_wait();
        of_this_thread.make(metrics, static_cast<int>(calls / Calls::calls_per_round));
      });
    }
    turn_.arrive_and_wait();
  }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;
  ~Callers() { make_calls(); }

  /// Returns when all of them have been made.
  void make_calls() {
    if (threads_.empty()) return;
    turn_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  static std::uint64_t recorded(unsigned calls) {
    return 3 * std::uint64_t{threads} * (std::uint64_t{Calls::seen} + calls / Calls::calls_per_round);
  }

 private:
  std::barrier<> turn_{threads + 1};
  std::vector<std::thread> threads_;
};

/// As long as there is room for either; deliveries that are recorded.
constexpr std::uint64_t first_sights = 100;
void see_new_threads_and_endpoints(EventMetrics& metrics) {
  std::thread{[&metrics] {
    support::of_the_test = true;
    for (std::uint64_t i = 0; i < first_sights; ++i) {
      metrics.record_delivery_error("https://seen-first-" + std::to_string(i) + ".example.com/T0/secret");
    }
  }}.join();
}

void calls_go_on_beside_a_thread_that(Place place) {
  support::of_the_test = true;
  const support::SilentAgent agent;
  StatsdEventMetrics metrics{options(agent.address()), {.max_endpoints = 200}};
  Callers callers{metrics, calls_of_a_thread};
  gate.close(place);
  ASSERT_TRUE(gate.wait_for_somebody());
  callers.make_calls();
  see_new_threads_and_endpoints(metrics);
  EXPECT_LT(metrics.stats().recorded, Callers::recorded(calls_of_a_thread));
  EXPECT_FALSE(metrics.flush(0ms));  // which has to wait for its turn
  EXPECT_TRUE(gate.has_somebody());
  gate.open();
  EXPECT_TRUE(metrics.flush(10s));
  EXPECT_EQ(metrics.stats().recorded, Callers::recorded(calls_of_a_thread) + first_sights);
}

TEST(FlushStopped, LetsCallsGoOnWhenItSends) { calls_go_on_beside_a_thread_that(Place::sends); }

TEST(FlushStopped, LetsCallsGoOnWhenItReadsRefusals) { calls_go_on_beside_a_thread_that(Place::reads_refusals); }

void calls_go_on_beside_a_thread_that_tries(Place place) {
  support::of_the_test = true;
  gate.close(place);  // its first turn comes to it, and every later one
  StatsdEventMetrics metrics{options("unix:///proc/no-agent"), {.max_endpoints = 200}};
  Callers callers{metrics, calls_of_a_thread};
  ASSERT_TRUE(gate.wait_for_somebody());
  callers.make_calls();
  see_new_threads_and_endpoints(metrics);
  EXPECT_LT(metrics.stats().recorded, Callers::recorded(calls_of_a_thread));
  EXPECT_TRUE(gate.has_somebody());
  gate.open();
  EXPECT_TRUE(support::eventually(
      [&] { return metrics.stats().recorded == Callers::recorded(calls_of_a_thread) + first_sights; }));
}

TEST(FlushStopped, LetsCallsGoOnWhenItMakesASocket) { calls_go_on_beside_a_thread_that_tries(Place::makes_socket); }

TEST(FlushStopped, LetsCallsGoOnWhenItConnects) { calls_go_on_beside_a_thread_that_tries(Place::connects); }

// As the one above, but that somebody else may take a turn meanwhile: nothing at all is held.
TEST(FlushStopped, LetsCallsAndFlushesGoOnWhenItTellsAnError) {
  support::of_the_test = true;
  gate.close(Place::tells);
  StatsdEventMetrics metrics{options("unix:///proc/no-agent"), {.max_endpoints = 200}};
  Callers callers{metrics, calls_of_a_thread};
  ASSERT_TRUE(gate.wait_for_somebody());
  callers.make_calls();
  see_new_threads_and_endpoints(metrics);
  EXPECT_FALSE(metrics.flush(1ms));  // there is no agent
  EXPECT_EQ(metrics.stats().recorded, Callers::recorded(calls_of_a_thread) + first_sights);
  EXPECT_TRUE(gate.has_somebody());
  gate.open();
}

// Whatever mutex it locks in a turn and between two of them, before it unlocks it.
TEST(FlushStopped, LetsCallsGoOnWhateverItHasLocked) {
  support::of_the_test = true;
  // Around it, around what stats() copies, and around the sleep. Boost has more, where it opens a socket.
  constexpr std::size_t mutexes_of_a_turn = 3;
  constexpr unsigned least_stops = 12;  // more unlocks than in a turn
  constexpr unsigned most_stops = 200;  // where it goes on is left to chance
  constexpr unsigned calls = 4 * calls_of_a_thread / least_stops / threads;
  const support::SilentAgent agent;
  StatsdEventMetrics metrics{options(agent.address()), {.max_endpoints = 200}};
  std::set<const void*> mutexes;
  unsigned stops = 0;
  for (; stops < least_stops || (mutexes.size() < mutexes_of_a_turn && stops < most_stops); ++stops) {
    Callers callers{metrics, calls};
    gate.close(Place::unlocks, static_cast<int>(stops % least_stops));
    ASSERT_TRUE(gate.wait_for_somebody());
    callers.make_calls();
    see_new_threads_and_endpoints(metrics);
    ASSERT_TRUE(gate.has_somebody());
    mutexes.insert(gate.mutex());
    gate.open();
  }
  EXPECT_GE(mutexes.size(), mutexes_of_a_turn);
  EXPECT_TRUE(metrics.flush(10s));
  EXPECT_EQ(metrics.stats().recorded, stops * (Callers::recorded(calls) + first_sights));
}

}  // namespace
