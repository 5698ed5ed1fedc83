#include "record/arena.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <latch>
#include <limits>
#include <new>
#include <thread>
#include <vector>

namespace event_metrics::record {
namespace {

constexpr std::uint32_t everything = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t lines_per_page = 64;

/// An arena without a client: the test is its one holder.
struct Held {
  explicit Held(std::size_t bytes) : arena{*new Arena{bytes}} {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { arena.drop(); }

  Arena& arena;
};

bool mapped(void* page) {
  unsigned char resident = 0;
  return ::mincore(page, 4096, &resident) == 0;
}

bool resident(void* page) {
  unsigned char resident = 0;
  return ::mincore(page, 4096, &resident) == 0 && (resident & 1U) != 0;
}

bool all_zero(const Arena& arena, std::uint32_t first, std::uint32_t lines) {
  const auto* const bytes = &arena.at<unsigned char>(first);
  return std::all_of(bytes, bytes + std::size_t{lines} * Arena::line_bytes, [](unsigned char b) { return b == 0; });
}

TEST(Arena, HasNothingToTakeBeforeAnythingIsWritten) {
  const Held held{1U << 20U};
  EXPECT_EQ(held.arena.take(1), 0U);
  EXPECT_EQ(held.arena.ready(), 0U);
  EXPECT_EQ(held.arena.written(), 0U);
  EXPECT_EQ(held.arena.taken(), 1U);  // line 0 means none, so it is never handed out
}

TEST(Arena, HandsOutConsecutiveZeroedLines) {
  const Held held{1U << 20U};
  held.arena.write_ahead(10, everything);
  EXPECT_EQ(held.arena.take(1), 1U);
  EXPECT_EQ(held.arena.take(4), 2U);
  EXPECT_EQ(held.arena.take(1), 6U);
  EXPECT_TRUE(all_zero(held.arena, 0, lines_per_page));
}

TEST(Arena, TakesNothingAboveTheMark) {
  const Held held{1U << 20U};
  held.arena.write_ahead(1, everything);  // a page: 64 lines, of which the first is nobody's
  EXPECT_EQ(held.arena.written(), 64U);
  EXPECT_EQ(held.arena.ready(), 63U);
  EXPECT_EQ(held.arena.take(64), 0U);
  EXPECT_EQ(held.arena.taken(), 1U);  // what did not fit took nothing
  EXPECT_EQ(held.arena.take(63), 1U);
  EXPECT_EQ(held.arena.take(1), 0U);
  EXPECT_EQ(held.arena.ready(), 0U);
}

TEST(Arena, RefusesACountThatWouldWrapTheIndex) {
  const Held held{1U << 20U};
  held.arena.write_ahead(10, everything);
  (void)held.arena.take(5);
  EXPECT_EQ(held.arena.take(std::numeric_limits<std::uint32_t>::max() - 2), 0U);
  EXPECT_EQ(held.arena.taken(), 6U);
}

TEST(Arena, TouchesPagesOnlyWhenAskedTo) {
  const Held held{1U << 20U};
  EXPECT_FALSE(resident(&held.arena.at<std::byte>(0)));
  held.arena.write_ahead(100, everything);
  EXPECT_TRUE(resident(&held.arena.at<std::byte>(0)));
  EXPECT_TRUE(resident(&held.arena.at<std::byte>(64)));
  EXPECT_FALSE(resident(&held.arena.at<std::byte>(128)));
}

TEST(Arena, KeepsTheAskedNumberReady) {
  const Held held{1U << 20U};
  held.arena.write_ahead(100, everything);
  EXPECT_EQ(held.arena.written(), 128U);  // 101 lines, as whole pages
  (void)held.arena.take(50);
  held.arena.write_ahead(100, everything);
  EXPECT_EQ(held.arena.written(), 192U);
  EXPECT_GE(held.arena.ready(), 100U);
  held.arena.write_ahead(1, everything);  // there is more than enough: nothing is taken back
  EXPECT_EQ(held.arena.written(), 192U);
}

TEST(Arena, StopsAtTheLimit) {
  const Held held{1U << 20U};
  held.arena.write_ahead(1000, 130);  // 130 lines are two whole pages
  EXPECT_EQ(held.arena.written(), 128U);
  held.arena.write_ahead(1000, 63);  // not even one
  EXPECT_EQ(held.arena.written(), 128U);
}

TEST(Arena, StopsAtItsEnd) {
  const Held held{10'000};  // three pages
  held.arena.write_ahead(everything, everything);
  EXPECT_EQ(held.arena.written(), 192U);
  EXPECT_EQ(held.arena.take(191), 1U);
  held.arena.write_ahead(everything, everything);
  EXPECT_EQ(held.arena.take(1), 0U);
}

TEST(Arena, ThrowsWhenALineCouldNotBeNamed) {
  constexpr std::size_t lines = std::size_t{1} << 32U;
  EXPECT_THROW((void)new Arena{lines * Arena::line_bytes}, std::bad_alloc);
  EXPECT_THROW((void)new Arena{std::numeric_limits<std::size_t>::max()}, std::bad_alloc);
  EXPECT_THROW((void)new Arena{0}, std::bad_alloc);
}

TEST(Arena, HasNothingToTakeAfterARestartUntilItIsWrittenAgain) {
  const Held held{1U << 20U};
  held.arena.write_ahead(200, everything);
  (void)held.arena.take(100);
  held.arena.restart();
  EXPECT_EQ(held.arena.take(1), 0U);  // a mark left standing would hand out pages that nobody has touched here
  EXPECT_EQ(held.arena.taken(), 1U);
  EXPECT_EQ(held.arena.written(), 0U);
  held.arena.write_ahead(1, everything);
  EXPECT_EQ(held.arena.take(1), 1U);
}

// Every line is claimed by as many threads as it has been handed to, which must be one.
TEST(Arena, GivesConcurrentTakersDisjointLines) {
  constexpr std::size_t takers = 4;
  constexpr std::uint32_t all = 400'000;
  const Held held{32U << 20U};
  held.arena.write_ahead(20'000, all);  // so that they do not wait for the writer most of the time
  std::array<std::vector<std::uint32_t>, takers> firsts;
  std::array<std::thread, takers> threads;
  std::latch start{takers};
  for (std::size_t i = 0; i < takers; ++i) {
    threads[i] = std::thread{[&held, &start, &first = firsts[i], lines = static_cast<std::uint32_t>(i + 1)] {
      start.arrive_and_wait();
      while (held.arena.taken() + 4 < all) {
        const std::uint32_t line = held.arena.take(lines);
        if (line == 0) continue;  // ahead of the writer
        // A plain write: with two takers of one line ThreadSanitizer sees the race.
        for (std::uint32_t at = line; at < line + lines; ++at) ++held.arena.at<std::uint32_t>(at);
        first.push_back(line);
      }
    }};
  }
  while (held.arena.taken() + 4 < all) held.arena.write_ahead(20'000, all);
  for (std::thread& thread : threads) thread.join();

  std::uint32_t claimed = 0;
  for (std::size_t i = 0; i < takers; ++i) claimed += static_cast<std::uint32_t>(firsts[i].size() * (i + 1));
  EXPECT_EQ(claimed, held.arena.taken() - 1);
  for (std::uint32_t line = 1; line < held.arena.taken(); ++line) {
    ASSERT_EQ(held.arena.at<std::uint32_t>(line), 1U) << line;
  }
}

TEST(Arena, IsZeroInAForkedChildAndUntouchedInTheParent) {
  const Held held{1U << 20U};
  held.arena.write_ahead(1000, everything);
  const std::uint32_t first = held.arena.take(1000);
  std::memset(&held.arena.at<std::byte>(first), 0xA5, 1000 * Arena::line_bytes);

  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    held.arena.renew_in_child();  // as the registry's child handler does
    const bool zero = all_zero(held.arena, 0, held.arena.written());
    std::memset(&held.arena.at<std::byte>(first), 0x5A, Arena::line_bytes);
    ::_exit(zero ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(held.arena.at<unsigned char>(first), 0xA5);
  EXPECT_EQ(held.arena.at<unsigned char>(first + 999), 0xA5);
}

TEST(Arena, IsUnmappedByItsLastHolder) {
  auto* const arena = new Arena{1U << 20U};
  std::byte* const page = &arena->at<std::byte>(0);
  arena->hold();
  arena->hold();
  arena->drop();
  EXPECT_TRUE(mapped(page));
  arena->drop();
  EXPECT_TRUE(mapped(page));
  arena->drop();
  EXPECT_FALSE(mapped(page));
}

TEST(Arena, IsHeldByNoThreadOfTheParentInAChild) {
  auto* const arena = new Arena{1U << 20U};
  std::byte* const page = &arena->at<std::byte>(0);
  arena->hold();  // a thread's
  const pid_t child = ::fork();
  if (child == 0) {
    arena->renew_in_child();
    arena->drop();
    ::_exit(mapped(page) ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  arena->drop();
  EXPECT_TRUE(mapped(page));
  arena->drop();
}

TEST(Arena, IsUnmappedAfterTheLastUseByAnyHolder) {
  for (int round = 0; round < 200; ++round) {
    auto* const arena = new Arena{1U << 16U};
    arena->write_ahead(64, everything);
    arena->hold();
    // The write and the other holder's end are ordered by drop() alone.
    std::thread other{[arena] {
      arena->at<std::uint32_t>(1) = 1;
      arena->drop();
    }};
    arena->at<std::uint32_t>(2) = 1;
    arena->drop();
    other.join();
  }
}

}  // namespace
}  // namespace event_metrics::record
