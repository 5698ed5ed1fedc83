// What a recorder does in a forked child.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "record/registry.hpp"
#include "support/child.hpp"
#include "unit/recorded.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

/// Runs `in_child` in a forked child; what it returns is the child's exit status.
int status_of_child(const std::function<int()>& in_child) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(in_child());
  int status = -1;
  if (child == -1 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(ForkedRecorder, StartsFromZeroAndLeavesTheParentItsCounts) {
  Ready ready;
  ready.recorder.success(url, 7ms);
  ready.recorder.failed("https://b/");
  const int status = status_of_child([&] {
    if (ready.recorder.begun()) return 1;
    ready.recorder.failed("https://c/");
    if (!ready.recorder.begun()) return 2;
    if (ready.recorder.endpoint_count() != 3 || ready.recorder.label(2) != "c") return 3;
    if (failed(ready.recorder, 2) != 1 || !cells(ready.recorder, 2).empty()) return 4;
    ready.recorder.drain();
    if (ready.recorder.take_mark(0) || ready.recorder.take_mark(1) || !ready.recorder.take_mark(2)) return 5;
    ready.recorder.success("https://c/", 7ms);
    return cells(ready.recorder, 2) == Cells{{7, 1}} || successes(ready.recorder, 2).coarse == 1 ? 0 : 6;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ready.recorder.endpoint_count(), 4U);
  EXPECT_EQ(cells(ready.recorder), (Cells{{7, 1}}));
  EXPECT_EQ(failed(ready.recorder, 3), 1U);
  ready.recorder.success(url, 7ms);  // in the place that it had
  EXPECT_EQ(cells(ready.recorder), (Cells{{7, 2}}));
}

TEST(ForkedRecorder, IsRebornOnceAndOnlyWhenItIsUsed) {
  Ready ready;
  ready.recorder.failed(url);
  EXPECT_EQ(ready.reborn, 0);
  const int status = status_of_child([&] {
    if (ready.reborn != 0) return 1;
    (void)ready.recorder.begin_in_child();
    if (ready.reborn != 1) return 2;
    (void)ready.recorder.begin_in_child();
    ready.recorder.failed(url);
    ready.recorder.active_task(1);
    return ready.reborn == 1 ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
  ready.recorder.failed(url);
  EXPECT_EQ(ready.reborn, 0);
}

TEST(ForkedRecorder, IsRebornInAGrandchildWhoseParentNeverUsedIt) {
  Ready ready;
  ready.recorder.failed(url);
  const int status = status_of_child([&] {
    return status_of_child([&] {
      ready.recorder.failed(url);
      return ready.reborn == 1 && failed(ready.recorder) == 1 ? 0 : 1;
    });
  });
  EXPECT_EQ(status, 0);
}

TEST(ForkedRecorder, HasUntouchedTasksUntilTheChildCountsOne) {
  Ready ready;
  ready.recorder.active_task(5);
  const int status = status_of_child([&] {
    if (ready.recorder.active_tasks().touched || ready.recorder.active_tasks().count != 0) return 1;
    ready.recorder.failed(url);
    if (ready.recorder.active_tasks().touched) return 2;
    ready.recorder.active_task(1);
    return ready.recorder.active_tasks().touched && ready.recorder.active_tasks().count == 1 ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ready.recorder.active_tasks().count, 5);
}

// The child has no thread to give these blocks back: it may neither see nor adopt them.
TEST(ForkedRecorder, ForgetsItsParentsThreads) {
  Ready ready;
  std::thread{[&] { ready.recorder.success(url, 7ms); }}.join();
  ready.recorder.success(url, 8ms);
  const std::uint32_t taken = ready.recorder.taken_lines();
  const int status = status_of_child([&] {
    (void)ready.recorder.begin_in_child();
    ready.recorder.make_ready();
    if (ready.recorder.taken_lines() >= taken) return 1;
    ready.recorder.success(url, 9ms);
    return cells(ready.recorder) == Cells{{9, 1}} ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
}

TEST(ForkedRecorder, CountsInSharedCellsUntilItsClientHasBegun) {
  Ready ready;
  ready.recorder.success(url, 7ms);
  ready.enough = 2;
  const int status = status_of_child([&] {
    for (int call = 0; call < 3; ++call) ready.recorder.success(url, 100ms);
    ready.recorder.failed("https://b/");
    ready.recorder.active_task(2);
    if (ready.recorder.begun() || !ready.recorder.is_prepared() || ready.reborn != 1) return 1;
    if (successes(ready.recorder).coarse != 3 || failed(ready.recorder, 3) != 1) return 2;
    if (ready.recorder.active_tasks().count != 2) return 3;
    while (!ready.recorder.begin_in_child()) std::this_thread::yield();
    ready.recorder.make_ready();
    ready.recorder.success(url, 100ms);
    ready.recorder.active_task(-1);
    if (ready.reborn != 2 || cells(ready.recorder) != Cells{{100, 1}, {coarse_cell(100), 3}}) return 4;
    return ready.recorder.active_tasks().count == 1 ? 0 : 5;
  });
  EXPECT_EQ(status, 0);
}

TEST(ForkedRecorder, TriesToBeginAtMostEveryTenthOfASecond) {
  Ready ready;
  ready.recorder.failed(url);
  ready.enough = 6;
  const int status = status_of_child([&] {
    const Recorder::Clock::time_point first = Recorder::Clock::now();
    std::uint32_t calls = 0;
    for (; !ready.recorder.begun(); ++calls) ready.recorder.failed(url);
    if (Recorder::Clock::now() - first < 5 * Recorder::retry_pause) return 1;
    return ready.reborn == 6 && failed(ready.recorder) == calls ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
}

TEST(ForkedRecorder, WaitsForNoLockUntilItHasBegun) {
  if (!support::children_may_have_threads) GTEST_SKIP() << "a child of a threaded parent may have no thread here";
  Ready ready;
  ready.recorder.failed(url);
  ready.enough = 1'000'000;
  const int status = status_of_child([&] {
    ready.recorder.failed(url);
    const std::lock_guard lock{Registry::instance().mutex()};
    std::thread{[&] {
      const Recorder::Clock::time_point first = Recorder::Clock::now();
      while (Recorder::Clock::now() < first + 2 * Recorder::retry_pause) ready.recorder.success(url, 7ms);
    }}.join();
    return ready.reborn == 1 && successes(ready.recorder).coarse > 0 ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST(ForkedRecorder, LeavesNothingToAGrandchildOfAChildThatHasNotBegun) {
  Ready ready;
  ready.recorder.failed(url);
  ready.enough = 1'000'000;
  const int status = status_of_child([&] {
    ready.recorder.failed(url);
    return status_of_child([&] {
      ready.enough = 1;
      ready.recorder.failed("https://b/");
      return ready.recorder.endpoint_count() == 3 && failed(ready.recorder, 2) == 1 ? 0 : 1;
    });
  });
  EXPECT_EQ(status, 0);
}

TEST(ForkedRecorder, CanBeDestroyedUnused) {
  const int status = status_of_child([] {
    auto ready = std::make_unique<Ready>();
    ready->recorder.failed(url);
    return status_of_child([&] {
      ready.reset();
      Ready next;
      next.recorder.failed(url);
      return failed(next.recorder) == 1 ? 0 : 1;
    });
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace event_metrics::record
