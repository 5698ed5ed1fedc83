#include "record/recorder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unit/recorded.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

TEST(Recorder, CountsSuccessesByCellAndFailuresBesideThem) {
  Ready ready;
  ready.recorder.success(url, 0ms);
  ready.recorder.success(url, 120ms);
  ready.recorder.success(url, 120'999us);
  ready.recorder.success(url, -5ms);
  ready.recorder.success(url, 24h);
  EXPECT_EQ(cells(ready.recorder), (Cells{{0, 2}, {120, 2}, {18'726, 1}}));
  EXPECT_EQ(failed(ready.recorder), 0U);
  ready.recorder.failed(url);
  EXPECT_EQ(failed(ready.recorder), 1U);
  EXPECT_EQ(cells(ready.recorder), (Cells{{0, 2}, {120, 2}, {18'726, 1}}));
}

TEST(Recorder, CountsDurationsBeyondItsRange) {
  Ready ready;
  ready.recorder.success(url, 549'755'813'888ms);
  EXPECT_EQ(ready.recorder.beyond_range(), 0U);
  ready.recorder.success(url, 549'755'813'888ms + 1ns);
  ready.recorder.success(url, std::chrono::nanoseconds::max());
  ready.recorder.success(url, std::chrono::nanoseconds::min());
  EXPECT_EQ(cells(ready.recorder), (Cells{{0, 1}, {31'743, 3}}));
  EXPECT_EQ(ready.recorder.beyond_range(), 2U);
}

// A cell of every octave, by the flushing thread and by two threads whose rings are full.
TEST(Recorder, CountsInEveryOctaveWhateverThreadCounts) {
  Ready ready;
  Cells expected;
  const auto record_all = [&ready] {
    for (std::uint64_t ms = 3; ms < greatest_value; ms *= 2) {
      ready.recorder.success(url, std::chrono::milliseconds{ms});
      (void)ready.recorder.write_ahead();
    }
  };
  const auto count = [&](std::uint64_t times) {
    for (std::uint64_t ms = 3; ms < greatest_value; ms *= 2) expected[cell_of(ms)] += times;
  };
  record_all();
  count(1);
  EXPECT_EQ(cells(ready.recorder), expected);
  for (int thread = 0; thread < 2; ++thread) {
    std::thread{[&] {
      for (std::uint32_t call = 0; call < ring_words; ++call) ready.recorder.failed(url);
      record_all();
    }}.join();
  }
  count(2);
  EXPECT_EQ(cells(ready.recorder), expected);
  EXPECT_EQ(successes(ready.recorder).coarse, 0U);
}

TEST(Recorder, MarksAnEndpointUntilTheMarkIsTaken) {
  Ready ready;
  EXPECT_FALSE(ready.recorder.take_mark(other_endpoint));
  ready.recorder.success(url, 7ms);
  ready.recorder.drain();
  EXPECT_FALSE(ready.recorder.take_mark(other_endpoint));
  EXPECT_TRUE(ready.recorder.take_mark(example));
  EXPECT_FALSE(ready.recorder.take_mark(example));
  ready.recorder.failed(url);
  ready.recorder.drain();
  EXPECT_TRUE(ready.recorder.take_mark(example));
  EXPECT_FALSE(ready.recorder.take_mark(example));
}

// Rings are looked at as often as they fill, and hardly while nothing is recorded.
TEST(Recorder, WantsToBeTendedAsItsRingsFill) {
  Ready ready;
  Recording& recorder = ready.recorder;
  auto now = record::Recorder::Clock::now();
  const auto tend_after = [&](std::chrono::milliseconds pause, std::uint32_t calls) {
    for (std::uint32_t i = 0; i < calls; ++i) recorder.failed(url);
    now += pause;
    return std::chrono::duration_cast<std::chrono::milliseconds>(recorder.recorder().tend(now) - now);
  };
  (void)tend_after(0ms, 0);
  EXPECT_EQ(tend_after(1000ms, 1), 10ms);  // memory has been taken
  EXPECT_EQ(tend_after(100ms, 1), 100ms);
  EXPECT_EQ(tend_after(100ms, ring_words / 2), 100ms);
  EXPECT_EQ(tend_after(100ms, ring_words - 1), 50ms);
  EXPECT_EQ(tend_after(20ms, ring_words / 2), 20ms);
  EXPECT_EQ(tend_after(5ms, ring_words / 2), 10ms);
  EXPECT_EQ(tend_after(100ms, 2 * ring_words), 10ms);  // full: how fast it is cannot be said (own cells take memory)
  EXPECT_EQ(tend_after(100ms, 2 * ring_words), 10ms);
  EXPECT_EQ(tend_after(10ms, 2 * ring_words), 100ms);  // full again: it is a thread that does nothing else
  EXPECT_EQ(tend_after(100ms, 0), 200ms);
  EXPECT_EQ(tend_after(200ms, 0), 400ms);
  EXPECT_EQ(tend_after(1h, 0), 5000ms);
}

// Nobody writes ahead, so lines run out: durations lose their cell, and nothing else.
TEST(Recorder, CountsCoarselyAndExactlyWhenThePoolIsDry) {
  Recording recorder{usual, [](bool) { return true; }};
  for (int ms = 0; ms < 4000; ++ms) {
    recorder.success(url, std::chrono::milliseconds{ms});
    recorder.failed(url);
    recorder.active_task(1);
  }
  recorder.drain();
  const Successes counted = successes(recorder);
  EXPECT_GT(counted.coarse, 0U);
  EXPECT_EQ(counted.fine + counted.coarse, 4000U);
  EXPECT_EQ(failed(recorder), 4000U);
  EXPECT_EQ(recorder.active_tasks().count, 4000);
  EXPECT_TRUE(recorder.take_mark(example));
}

TEST(Recorder, KeepsTheOctaveOfACoarseDuration) {
  // So many endpoints that the block of a thread does not fit what is left of the first pages.
  Recording recorder{{20'000, false, 64U << 20U}, [](bool) { return true; }};
  recorder.success(url, 0ms);
  recorder.success(url, 1ms);
  recorder.success(url, 1023ms);
  recorder.success(url, 1024ms);
  recorder.success(url, 24h);
  recorder.success(url, std::chrono::nanoseconds::max());
  EXPECT_EQ(
      cells(recorder, other_endpoint),
      (Cells{{fine_cells, 2}, {fine_cells + 9, 1}, {fine_cells + 10, 1}, {fine_cells + 26, 1}, {fine_cells + 38, 1}}));
}

TEST(Recorder, GivesAThreadItsPlaceOnceThereIsMemory) {
  Recording recorder{{20'000, false, 64U << 20U}, [](bool) { return true; }};
  recorder.success(url, 7ms);
  EXPECT_EQ(successes(recorder, other_endpoint).coarse, 1U);
  recorder.make_ready();
  recorder.success(url, 7ms);
  EXPECT_EQ(successes(recorder, other_endpoint).coarse, 1U);
  EXPECT_EQ(successes(recorder, other_endpoint).fine, 1U);
}

TEST(Recorder, SaysWhetherMemoryWasTakenSinceTheLastLook) {
  Ready ready;
  EXPECT_FALSE(ready.recorder.write_ahead());
  ready.recorder.success(url, 7ms);
  EXPECT_TRUE(ready.recorder.write_ahead());
  ready.recorder.success(url, 7ms);
  EXPECT_FALSE(ready.recorder.write_ahead());
}

TEST(Recorder, StaysWithinItsMemoryTogetherWithTheLedger) {
  const std::size_t limit = Recording::fixed_bytes(usual) + (256U << 10U);
  constexpr std::size_t ledger_bytes = 64U << 10U;
  Recording recorder{{usual.max_endpoints, usual.by_endpoint, limit}, [](bool) { return true; }};
  recorder.make_ready(ledger_bytes);
  const std::uint32_t before = recorder.taken_lines();
  for (int ms = 0; ms < 4000; ++ms) {
    (void)recorder.write_ahead();  // nothing is ever read
    recorder.success("https://a/", std::chrono::milliseconds{ms * 1000});
    recorder.success("https://b/", std::chrono::milliseconds{ms});
  }
  const Successes a = successes(recorder, 2);
  const Successes b = successes(recorder, 3);
  EXPECT_EQ(a.fine + a.coarse, 4000U);
  EXPECT_EQ(b.fine + b.coarse, 4000U);
  EXPECT_GT(a.fine + b.fine, 0U);
  EXPECT_GT(a.coarse + b.coarse, 0U);
  // Each line taken may become three lines of ledger.
  EXPECT_LE(recorder.memory_bytes() + ledger_bytes + (recorder.taken_lines() - before) * 3 * Arena::line_bytes, limit);
  EXPECT_GT(recorder.taken_lines() - before, 400U);  // and what there is, is used
}

// The mark is stored after the count and taken before it is read. In any other order a count made in between would
// wait for the next one; so both counts of a round must have been seen at its end. The second finds the mark set, and
// must set it all the same.
void count_once_a_round(Recording& recorder, int rounds, bool by_ring) {
  std::atomic<int> started{-1};
  std::atomic<int> done{-1};
  std::thread writer{[&] {
    for (std::uint32_t i = 0; i <= ring_words; ++i) recorder.failed(url);  // where nobody drains, cells from now on
    done.store(0, std::memory_order_release);
    for (int round = 1; round <= rounds; ++round) {
      while (started.load(std::memory_order_acquire) < round) continue;
      recorder.failed(url);
      recorder.failed(url);
      done.store(round, std::memory_order_release);
    }
  }};
  Reading reading;
  std::uint64_t seen = 0;
  const auto look = [&] {
    if (by_ring) recorder.drain();
    if (!recorder.take_mark(example)) return;
    reading.clear();
    reading.add(recorder.arena(), example);
    seen = reading.tally();
  };
  while (done.load(std::memory_order_acquire) < 0) continue;
  look();
  const std::uint64_t before = seen;
  int missed = 0;
  for (int round = 1; round <= rounds; ++round) {
    started.store(round, std::memory_order_release);
    while (done.load(std::memory_order_acquire) < round) look();
    look();
    if (seen != before + static_cast<std::uint64_t>(2 * round)) ++missed;
  }
  writer.join();
  EXPECT_EQ(missed, 0);
}

TEST(Recorder, LeavesNoCountWithoutAMark) {
  Ready ready;
  count_once_a_round(ready.recorder, 20'000, false);
}

TEST(Recorder, LeavesNoWordInARing) {
  Ready ready;
  count_once_a_round(ready.recorder, 20'000, true);
}

TEST(Recorder, LeavesNoSharedCountWithoutAMark) {
  Recording recorder{{20'000, true, 64U << 20U}, [](bool) { return true; }};  // as above: no place of one's own
  count_once_a_round(recorder, 10'000, false);
}

TEST(ActiveTasks, AreCountedAcrossThreads) {
  Ready ready;
  EXPECT_FALSE(ready.recorder.active_tasks().touched);
  std::thread{[&] { ready.recorder.active_task(1); }}.join();
  EXPECT_TRUE(ready.recorder.active_tasks().touched);
  EXPECT_EQ(ready.recorder.active_tasks().count, 1);
  ready.recorder.active_task(1);
  EXPECT_EQ(ready.recorder.active_tasks().count, 2);
  ready.recorder.active_task(-1);
  std::thread{[&] { ready.recorder.active_task(-1); }}.join();
  EXPECT_EQ(ready.recorder.active_tasks().count, 0);
  EXPECT_TRUE(ready.recorder.active_tasks().touched);
  ready.recorder.active_task(-2);
  EXPECT_EQ(ready.recorder.active_tasks().count, -2);  // a caller's mistake is told, not hidden
}

TEST(ActiveTasks, AreNeverMoreThanThereAreNorFewerThanNone) {
  Ready ready;
  constexpr int threads = 3;
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  for (int thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        ready.recorder.active_task(1);
        ready.recorder.active_task(-1);
      }
    });
  }
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t count = ready.recorder.active_tasks().count;
    least = std::min(least, count);
    most = std::max(most, count);
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(least, 0);
  EXPECT_LE(most, threads);
  EXPECT_EQ(ready.recorder.active_tasks().count, 0);
}

/// Where this thread counts in `recorder` once its ring is full, which it is now.
Rows& own_rows(Recording& recorder) {
  for (std::uint32_t call = 0; call <= ring_words; ++call) recorder.failed(url);
  for (std::uint32_t call = 0; call < 2; ++call) recorder.success(url, 7ms);
  return *this_thread.first_lane.block->rows[0];
}

// As after hours without a flush, or minutes in which an on_error blocks.
TEST(Recorder, LosesNothingWhereACellPasses2To32) {
  constexpr std::uint64_t seed = (std::uint64_t{1} << 32U) - 10;
  Ready ready;
  Rows& rows = own_rows(ready.recorder);
  rows.tally[example] += seed;
  rows.header[example]->near.chunk[0]->cell[7] += seed;
  for (int call = 0; call < 20; ++call) {
    ready.recorder.failed(url);
    ready.recorder.success(url, 7ms);
  }
  EXPECT_EQ(failed(ready.recorder), 4'294'968'331U);
  EXPECT_EQ(cells(ready.recorder), (Cells{{7, 4'294'967'308U}}));
}

TEST(Recorder, LosesNothingWhereASharedCellPasses2To32) {
  constexpr std::uint64_t seed = (std::uint64_t{1} << 32U) - 10;
  Ready ready;
  ready.recorder.failed(url);
  auto& shared = this_thread.holdings->arenas[0]->at<SharedCells>(shared_line + example * sizeof(SharedCells) / 64);
  shared.tally = seed;
  shared.octave[2] = seed;
  EXPECT_EQ(failed(ready.recorder), 4'294'967'287U);
  EXPECT_EQ(successes(ready.recorder).coarse, seed);
  shared.tally += 20;
  shared.octave[2] += 20;
  EXPECT_EQ(failed(ready.recorder), 4'294'967'307U);
  EXPECT_EQ(successes(ready.recorder).coarse, 4'294'967'306U);
}

}  // namespace
}  // namespace event_metrics::record
