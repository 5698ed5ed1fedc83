// What a service's on_error may do, and what may be done to a thread that waits here: crash, exit, cancel. Nothing of
// it keeps a handler from running, waits for ever or ends the process in another way than the service meant.

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Tally;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";
constexpr int as_meant = 7;

statsd::Options options(std::function<void(std::string_view)> on_error, bool own_thread = true,
                        const std::string& address = "unix:///proc/no-agent") {
  return {.agent = statsd::Agent::datadog,
          .address = address,
          .flush_interval = 10ms,
          .close_timeout = 100ms,
          .own_thread = own_thread,
          .on_error = std::move(on_error)};
}

int status_of(const std::function<int()>& service) {
  support::wait_until_other_threads_sleep();
  return support::Child{service}.status();
}

struct OnError : testing::Test {
  void SetUp() override {
    if (!support::children_may_have_threads) GTEST_SKIP() << "no threads in a child";
  }
};
using Cancellation = OnError;

TEST_F(OnError, ThatCrashesOnTheOwnThreadRunsTheServicesHandler) {
  for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    EXPECT_EQ(status_of([crash] {
                struct sigaction handler {};
                handler.sa_handler = [](int) { ::_exit(as_meant); };
                (void)::sigaction(crash, &handler, nullptr);
                StatsdEventMetrics metrics{options([crash](std::string_view) { (void)::raise(crash); })};
                metrics.record_delivery_error(url);
                for (;;) std::this_thread::yield();
                return 0;
              }),
              as_meant)
        << crash;
  }
}

// As services do that end on what they cannot mend. The client is static, so exit() destroys it: on its own thread.
TEST_F(OnError, MayExitOnTheOwnThread) {
  EXPECT_EQ(status_of([] {
              static StatsdEventMetrics metrics{options([](std::string_view) { std::exit(as_meant); })};
              metrics.record_delivery_error(url);
              for (;;) std::this_thread::yield();
              return 0;
            }),
            as_meant);
}

TEST_F(OnError, MayExitInAFlush) {
  EXPECT_EQ(status_of([] {
              static StatsdEventMetrics metrics{options([](std::string_view) { std::exit(as_meant); }, false)};
              metrics.record_delivery_error(url);
              (void)metrics.flush(1s);
              return 0;
            }),
            as_meant);
}

enum class Waits { flushes, polls, ends };

// The thread goes on to the end of the call, and is cancelled behind it.
void survives_a_cancellation(Waits waits) {
  for (const bool own_thread : {true, false}) {
    if (own_thread && waits == Waits::polls) continue;
    EXPECT_EQ(status_of([own_thread, waits] {
                static std::atomic<bool> came_back{false};
                static std::atomic<bool> about_to{false};
                static auto* const metrics = new StatsdEventMetrics{options([](std::string_view) {}, own_thread)};
                metrics->record_delivery_error(url);
                std::thread waiter{[waits] {
                  about_to = true;
                  if (waits == Waits::flushes) (void)metrics->flush(300ms);
                  const auto end = std::chrono::steady_clock::now() + 300ms;
                  while (waits == Waits::polls && std::chrono::steady_clock::now() < end) (void)metrics->poll();
                  if (waits == Waits::ends) delete metrics;
                  came_back = true;
                  ::pthread_testcancel();
                  ::_exit(1);  // it was not cancelled
                }};
                while (!about_to) std::this_thread::yield();
                (void)::pthread_cancel(waiter.native_handle());
                waiter.join();
                if (!came_back) return 2;
                if (waits != Waits::ends) delete metrics;
                return as_meant;
              }),
              as_meant);
  }
}

TEST_F(Cancellation, LetsAFlushComeToItsEnd) { survives_a_cancellation(Waits::flushes); }
TEST_F(Cancellation, LetsAPollComeToItsEnd) { survives_a_cancellation(Waits::polls); }
TEST_F(Cancellation, LetsADestructorComeToItsEnd) { survives_a_cancellation(Waits::ends); }

// Nothing is left to wait for, but a socket is closed.
TEST_F(Cancellation, LetsADestructorComeToItsEndThatHasNothingToSend) {
  const Agent agent;
  const std::string address = agent.address();
  for (const bool in_child : {false, true}) {
    EXPECT_EQ(status_of([&address, in_child] {
                auto* const metrics = new StatsdEventMetrics{options([](std::string_view) {}, true, address)};
                metrics->record_delivery_error(url);
                if (!metrics->flush(5s)) return 1;
                const auto end = [metrics] {
                  (void)::pthread_cancel(::pthread_self());
                  delete metrics;
                  (void)::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
                  return as_meant;
                };
                return in_child ? support::Child{end}.status() : end();
              }),
              as_meant);
  }
}

TEST_F(Cancellation, OfTheOwnThreadByOnErrorDoesNothing) {
  const Agent agent;
  const std::string address = agent.address();
  EXPECT_EQ(status_of([&address] {
              std::atomic<bool> cancelled{false};
              // Told that a host's deliveries count as `other`, which is no error of the agent's.
              StatsdEventMetrics metrics{options(
                                             [&](std::string_view) {
                                               (void)::pthread_cancel(::pthread_self());
                                               cancelled = true;
                                             },
                                             true, address),
                                         {.max_endpoints = 1}};
              metrics.record_delivery_error(url);
              metrics.record_delivery_error("https://b.io/");
              while (!cancelled) std::this_thread::yield();
              metrics.record_delivery_error(url);
              return metrics.flush(5s) ? as_meant : 1;
            }),
            as_meant);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 2; }));
}

}  // namespace
