// Memory runs out at every line that a thread and an endpoint take when they are first seen.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "record/reading.hpp"
#include "unit/recording.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

Recording::Limits little_memory() {
  Recording::Limits limits{64, true, 0};
  limits.memory_bytes = Recording::fixed_bytes(limits) + (400U << 10U);
  return limits;
}

std::string long_url(std::uint64_t number) {
  return "https://" + std::string(50, static_cast<char>('a' + number % 26)) + ".example/x";
}

std::uint32_t lines_left(Recording& recorder) {
  return static_cast<std::uint32_t>(recorder.memory_bytes() / Arena::line_bytes) - recorder.taken_lines();
}

struct Counted {
  std::uint64_t failed = 0;
  std::uint64_t fine = 0;
  std::uint64_t coarse = 0;
};

Counted all_of(Recording& recorder) {
  recorder.drain();
  Counted counted;
  Reading reading;
  Reading::Sums sums{};
  for (std::uint32_t endpoint = 0; endpoint < recorder.endpoint_count(); ++endpoint) {
    reading.clear();
    reading.add(recorder.arena(), endpoint);
    counted.failed += reading.tally();
    for (unsigned chunk = 0; chunk < chunk_count; ++chunk) {
      if (!reading.chunk(chunk, sums)) continue;
      for (const std::uint64_t sum : sums) (chunk == octave_chunk ? counted.coarse : counted.fine) += sum;
    }
  }
  return counted;
}

/// Takes lines until `left` are left: up to fourteen with a duration, and the last ones by itself. Returns what it
/// recorded.
Counted leave(Recording& recorder, std::uint32_t left) {
  Counted recorded;
  for (; lines_left(recorder) > left + 16; ++recorded.fine) {
    recorder.success("https://a.io", std::chrono::milliseconds{recorded.fine * cells_per_chunk});
    recorder.drain();
  }
  auto& arena = const_cast<Arena&>(*this_thread.holdings->arenas[0]);
  while (lines_left(recorder) > left) (void)arena.take(1);
  return recorded;
}

TEST(FirstSight, CountsExactlyWhereverMemoryEnds) {
  std::uint64_t fine = 0;
  for (std::uint32_t left = 0; left < 240; ++left) {
    Recording recorder{little_memory(), [](bool) { return true; }};
    recorder.make_ready();
    const Counted before = leave(recorder, left);
    ASSERT_EQ(lines_left(recorder), left);

    std::thread{[&] {
      recorder.success(long_url(20), 5ms);
      recorder.failed(long_url(20));
      recorder.active_task(1);
    }}.join();
    const Counted counted = all_of(recorder);
    EXPECT_EQ(counted.fine + counted.coarse, before.fine + 1) << left;
    EXPECT_EQ(counted.failed, before.failed + 1) << left;
    EXPECT_EQ(recorder.active_tasks().count, 1) << left;
    EXPECT_GE(counted.fine, before.fine + fine) << left;  // more memory never makes it coarser
    fine = counted.fine - before.fine;
  }
  EXPECT_EQ(fine, 1u);
}

}  // namespace
}  // namespace event_metrics::record
