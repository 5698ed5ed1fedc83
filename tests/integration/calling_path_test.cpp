// Once its thread and its endpoint have been seen, a call neither allocates, nor enters the kernel, nor touches a page
// for the first time: whether it finds room in its ring, counts in cells of its own or in those that threads share, and
// while the client's own thread flushes. Threads are put under a filter that ends the process at their first system
// call, so a lock that had to wait would show as well. Not built with a sanitizer, which brings its own allocator and
// system calls.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/calls.hpp"
#include "support/child.hpp"
#include "support/heap.hpp"
#include "support/silent_agent.hpp"
#include "support/system_calls.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Calls;

constexpr int threads = 4;

std::unique_ptr<StatsdEventMetrics> client(const support::SilentAgent& agent, bool own_thread) {
  return std::make_unique<StatsdEventMetrics>(statsd::Options{.agent = statsd::Agent::datadog,
                                                              .address = agent.address(),
                                                              .flush_interval = 1ms,
                                                              .close_timeout = 0ms,
                                                              .own_thread = own_thread,
                                                              .on_error = [](std::string_view) {}},
                                              DeliveryOptions{.max_endpoints = Calls::max_endpoints});
}

/// How often `work` turns to the heap.
template <class Work>
long heap_uses(Work work) {
  const long before = support::heap_uses;
  work();
  return support::heap_uses - before;
}

/// How many pages the calling thread had to be given during `work`.
template <class Work>
long page_faults(Work work) {
  rusage before{};
  rusage after{};
  (void)::getrusage(RUSAGE_THREAD, &before);
  work();
  (void)::getrusage(RUSAGE_THREAD, &after);
  return after.ru_minflt - before.ru_minflt;
}

/// What `work` returns in each of four threads at once, which have seen everything by then.
template <class Work>
std::vector<long> in_threads(EventMetrics& metrics, Work work) {
  std::vector<long> results(threads);
  std::barrier ready{threads};
  std::vector<std::thread> running;
  running.reserve(threads);
  for (long& result : results) {
    running.emplace_back([&metrics, &result, &ready, work] {
      Calls calls;
      calls.make(metrics, Calls::seen);
      (void)work(calls, 1);
      ready.arrive_and_wait();
      result = work(calls, 40'000);
    });
  }
  for (std::thread& thread : running) thread.join();
  return results;
}

const std::vector<long> none(threads, 0);

TEST(CallingPath, IsWatchedForEveryWayToTheHeap) {
  EXPECT_EQ(heap_uses([] {}), 0);
  EXPECT_EQ(heap_uses([] { ::operator delete(::operator new(1)); }), 2);
  constexpr std::align_val_t line{64};
  EXPECT_EQ(heap_uses([] { ::operator delete(::operator new(1, line), line); }), 2);
  // Called through volatile pointers, or the compiler sees that nobody needs the memory.
  void* (*const volatile allocate)(std::size_t) = &std::malloc;
  void* (*const volatile reallocate)(void*, std::size_t) = &std::realloc;
  void (*const volatile release)(void*) = &std::free;
  EXPECT_EQ(heap_uses([&] { release(allocate(1)); }), 2);
  EXPECT_EQ(heap_uses([&] { release(reallocate(allocate(1), 5000)); }), 3);
}

TEST(CallingPath, AllocatesNothingWhenItsRingIsFull) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, false);
  Calls calls;
  calls.make(*metrics, Calls::seen);
  EXPECT_EQ(heap_uses([&] { calls.make(*metrics, 40'000); }), 0);
  const std::uint64_t seen{Calls::seen + 40'000};
  EXPECT_TRUE(metrics->flush(10s));
  EXPECT_EQ(metrics->stats().recorded, 3 * seen);
  EXPECT_EQ(metrics->stats().coarse, 0u);
  EXPECT_EQ(metrics->stats().endpoints, Calls::max_endpoints);
}

TEST(CallingPath, AllocatesNothingWhenItsRingIsDrained) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, false);
  Calls calls;
  calls.make(*metrics, Calls::seen);
  for (int batch = 0; batch < 200; ++batch) {
    (void)metrics->poll();
    ASSERT_EQ(heap_uses([&] { calls.make(*metrics, 300); }), 0);  // 900 entries
  }
}

TEST(CallingPath, AllocatesNothingWhileItsClientFlushes) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, true);
  const auto work = [&](Calls& calls, int rounds) { return heap_uses([&] { calls.make(*metrics, rounds); }); };
  EXPECT_EQ(in_threads(*metrics, work), none);
}

TEST(CallingPath, AllocatesNothingWhenAThreadHasNoPlaceOfItsOwn) {
  const support::SilentAgent agent;
  std::array<std::unique_ptr<StatsdEventMetrics>, 9> clients;  // one more than have a place in threads
  for (auto& each : clients) each = client(agent, false);
  StatsdEventMetrics& metrics = *clients.back();
  Calls calls;
  calls.make(metrics, Calls::seen);
  EXPECT_EQ(heap_uses([&] { calls.make(metrics, 40'000); }), 0);
  EXPECT_TRUE(metrics.flush(10s));
  EXPECT_EQ(metrics.stats().coarse, std::uint64_t{Calls::seen + 40'000});
}

TEST(CallingPath, TouchesNoNewPageWhenItsRingIsFull) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, false);
  const auto work = [&](Calls& calls, int rounds) { return page_faults([&] { calls.make(*metrics, rounds); }); };
  EXPECT_EQ(in_threads(*metrics, work), none);
}

TEST(CallingPath, TouchesNoNewPageWhenItsRingIsDrained) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, false);
  Calls calls;
  calls.make(*metrics, Calls::seen);
  long faults = 0;
  for (int batch = 0; batch < 200; ++batch) {
    (void)metrics->poll();
    faults += page_faults([&] { calls.make(*metrics, 300); });
  }
  EXPECT_EQ(faults, 0);
}

TEST(CallingPath, TouchesNoNewPageWhileItsClientFlushes) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, true);
  const auto work = [&](Calls& calls, int rounds) { return page_faults([&] { calls.make(*metrics, rounds); }); };
  EXPECT_EQ(in_threads(*metrics, work), none);
}

// Memory is made ready by the one who flushes, and pages are touched there.
TEST(CallingPath, TouchesNoNewPageAndAllocatesNothingWhenADurationIsNew) {
  const support::SilentAgent agent;
  const auto metrics = client(agent, false);
  Calls calls;
  calls.make(*metrics, Calls::seen);
  const auto record_new_durations = [&] {
    for (std::chrono::milliseconds duration{0}; duration < 1h; duration += 64ms + duration / 100) {
      metrics->record_delivery_success("https://hooks-0001.example.com/T0/secret0", duration);
      metrics->record_delivery_success("no url at all", duration);
    }
  };
  long faults = 0;
  EXPECT_EQ(heap_uses([&] { faults = page_faults(record_new_durations); }), 0);
  EXPECT_EQ(faults, 0);
  EXPECT_TRUE(metrics->flush(10s));
  EXPECT_EQ(metrics->stats().coarse, 0u);
}

TEST(CallingPath, FilterEndsAProcessThatCallsTheKernel) {
  support::Child child{[] {
    if (!support::forbid_system_calls()) return 1;
    (void)::getppid();
    return 0;
  }};
  EXPECT_EQ(child.status(), 128 + SIGSYS);
}

/// Threads that do not end, which were a system call, but wait for the end of the process.
struct Filtered {
  std::barrier<> ready{threads + 1};
  std::atomic<bool> flushed{false};
  std::atomic<int> at_work{0};
  std::atomic<int> done{0};

  [[noreturn]] void call(EventMetrics& metrics) {
    Calls calls;
    calls.make(metrics, Calls::seen);
    ready.arrive_and_wait();
    if (!support::forbid_system_calls()) ::_exit(2);
    at_work.fetch_add(1);
    int rounds = 0;
    for (; rounds < 50'000 || !flushed.load(); rounds += 1000) calls.make(metrics, 1000);
    done.fetch_add(1);
    for (;;) (void)done.load();
  }
};

int calls_under_the_filter() {
  const support::SilentAgent agent;
  const auto metrics = client(agent, true);  // its thread is not under the filter
  Filtered filtered;
  for (int i = 0; i < threads; ++i) std::thread{[&] { filtered.call(*metrics); }}.detach();
  filtered.ready.arrive_and_wait();
  while (filtered.at_work < threads) std::this_thread::sleep_for(1ms);
  const statsd::Stats before = metrics->stats();
  while (metrics->stats().datagrams_accepted < before.datagrams_accepted + 20) std::this_thread::sleep_for(1ms);
  if (filtered.done != 0) ::_exit(3);
  filtered.flushed = true;
  while (filtered.done < threads) std::this_thread::sleep_for(1ms);
  ::_exit(0);
}

TEST(CallingPath, MakesNoSystemCallInAMillionCallsOfFourThreadsWhileTheirClientFlushes) {
  support::Child child{calls_under_the_filter};
  EXPECT_EQ(child.status(), 0);
}

}  // namespace
