#include "record/arena.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <latch>
#include <limits>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace event_metrics::record {
namespace {

constexpr std::uint32_t everything = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t lines_per_page = 64;

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
  Arena arena{1U << 20U};
  EXPECT_EQ(arena.take(1), 0U);
  EXPECT_EQ(arena.ready(), 0U);
  EXPECT_EQ(arena.written(), 0U);
  EXPECT_EQ(arena.taken(), 1U);  // line 0 means none, so it is never handed out
}

TEST(Arena, HandsOutConsecutiveZeroedLines) {
  Arena arena{1U << 20U};
  arena.write_ahead(10, everything);
  EXPECT_EQ(arena.take(1), 1U);
  EXPECT_EQ(arena.take(4), 2U);
  EXPECT_EQ(arena.take(1), 6U);
  EXPECT_TRUE(all_zero(arena, 0, lines_per_page));
}

TEST(Arena, TakesNothingAboveTheMark) {
  Arena arena{1U << 20U};
  arena.write_ahead(1, everything);  // a page: 64 lines, of which the first is nobody's
  EXPECT_EQ(arena.written(), 64U);
  EXPECT_EQ(arena.ready(), 63U);
  EXPECT_EQ(arena.take(64), 0U);
  EXPECT_EQ(arena.taken(), 1U);  // what did not fit took nothing
  EXPECT_EQ(arena.take(63), 1U);
  EXPECT_EQ(arena.take(1), 0U);
  EXPECT_EQ(arena.ready(), 0U);
}

TEST(Arena, RefusesACountThatWouldWrapTheIndex) {
  Arena arena{1U << 20U};
  arena.write_ahead(10, everything);
  (void)arena.take(5);
  EXPECT_EQ(arena.take(std::numeric_limits<std::uint32_t>::max() - 2), 0U);
  EXPECT_EQ(arena.taken(), 6U);
}

TEST(Arena, TouchesPagesOnlyWhenAskedTo) {
  Arena arena{1U << 20U};
  EXPECT_FALSE(resident(&arena.at<std::byte>(0)));
  arena.write_ahead(100, everything);
  EXPECT_TRUE(resident(&arena.at<std::byte>(0)));
  EXPECT_TRUE(resident(&arena.at<std::byte>(64)));
  EXPECT_FALSE(resident(&arena.at<std::byte>(128)));
}

TEST(Arena, KeepsTheAskedNumberReady) {
  Arena arena{1U << 20U};
  arena.write_ahead(100, everything);
  EXPECT_EQ(arena.written(), 128U);  // 101 lines, as whole pages
  (void)arena.take(50);
  arena.write_ahead(100, everything);
  EXPECT_EQ(arena.written(), 192U);
  EXPECT_GE(arena.ready(), 100U);
  arena.write_ahead(1, everything);  // there is more than enough: nothing is taken back
  EXPECT_EQ(arena.written(), 192U);
}

TEST(Arena, StopsAtTheLimit) {
  Arena arena{1U << 20U};
  arena.write_ahead(1000, 130);  // 130 lines are two whole pages
  EXPECT_EQ(arena.written(), 128U);
  arena.write_ahead(1000, 63);  // not even one
  EXPECT_EQ(arena.written(), 128U);
}

TEST(Arena, StopsAtItsEnd) {
  Arena arena{10'000};  // three pages
  arena.write_ahead(everything, everything);
  EXPECT_EQ(arena.written(), 192U);
  EXPECT_EQ(arena.take(191), 1U);
  arena.write_ahead(everything, everything);
  EXPECT_EQ(arena.take(1), 0U);
}

TEST(Arena, ThrowsWhenALineCouldNotBeNamed) {
  constexpr std::size_t lines = std::size_t{1} << 32U;
  EXPECT_THROW((void)new Arena{lines * Arena::line_bytes}, std::bad_alloc);
  EXPECT_THROW((void)new Arena{std::numeric_limits<std::size_t>::max()}, std::bad_alloc);
  EXPECT_THROW((void)new Arena{0}, std::bad_alloc);
}

TEST(Arena, HasNothingToTakeAfterARestartUntilItIsWrittenAgain) {
  Arena arena{1U << 20U};
  arena.write_ahead(200, everything);
  (void)arena.take(100);
  arena.restart();
  EXPECT_EQ(arena.take(1), 0U);  // a mark left standing would hand out pages that nobody has touched here
  EXPECT_EQ(arena.taken(), 1U);
  EXPECT_EQ(arena.written(), 0U);
  arena.write_ahead(1, everything);
  EXPECT_EQ(arena.take(1), 1U);
}

// Every line is claimed by as many threads as it has been handed to, which must be one.
TEST(Arena, GivesConcurrentTakersDisjointLines) {
  constexpr std::size_t takers = 4;
  constexpr std::uint32_t all = 400'000;
  Arena arena{32U << 20U};
  arena.write_ahead(20'000, all);  // so that they do not wait for the writer most of the time
  std::array<std::vector<std::uint32_t>, takers> firsts;
  std::array<std::thread, takers> threads;
  std::latch start{takers};
  for (std::size_t i = 0; i < takers; ++i) {
    threads[i] = std::thread{[&arena, &start, &first = firsts[i], lines = static_cast<std::uint32_t>(i + 1)] {
      start.arrive_and_wait();
      while (arena.taken() + 4 < all) {
        const std::uint32_t line = arena.take(lines);
        if (line == 0) continue;  // ahead of the writer
        // A plain write: with two takers of one line ThreadSanitizer sees the race.
        for (std::uint32_t at = line; at < line + lines; ++at) ++arena.at<std::uint32_t>(at);
        first.push_back(line);
      }
    }};
  }
  while (arena.taken() + 4 < all) arena.write_ahead(20'000, all);
  for (std::thread& thread : threads) thread.join();

  std::uint32_t claimed = 0;
  for (std::size_t i = 0; i < takers; ++i) claimed += static_cast<std::uint32_t>(firsts[i].size() * (i + 1));
  EXPECT_EQ(claimed, arena.taken() - 1);
  for (std::uint32_t line = 1; line < arena.taken(); ++line) {
    ASSERT_EQ(arena.at<std::uint32_t>(line), 1U) << line;
  }
}

TEST(Arena, IsZeroInAForkedChildAndUntouchedInTheParent) {
  Arena arena{1U << 20U};
  arena.write_ahead(1000, everything);
  const std::uint32_t first = arena.take(1000);
  std::memset(&arena.at<std::byte>(first), 0xA5, 1000 * Arena::line_bytes);

  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    arena.renew_in_child();  // as the registry's child handler does
    const bool zero = all_zero(arena, 0, arena.written());
    std::memset(&arena.at<std::byte>(first), 0x5A, Arena::line_bytes);
    ::_exit(zero ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(arena.at<unsigned char>(first), 0xA5);
  EXPECT_EQ(arena.at<unsigned char>(first + 999), 0xA5);
}

// QEMU's user mode takes the advice to wipe, says so, and does not follow it.
TEST(Arena, IsZeroInAForkedChildAndItsChildWhereTheKernelDoesNotKeepItsWord) {
  Arena arena{1U << 20U};
  arena.write_ahead(1000, everything);
  const auto use = [&] { std::memset(&arena.at<std::byte>(1), 0xA5, 1000 * Arena::line_bytes); };
  const auto lie = [&] { return ::madvise(&arena.at<std::byte>(0), 1U << 20U, MADV_KEEPONFORK) == 0; };
  const auto starts_from_zero = [&] {
    arena.renew_in_child();
    return all_zero(arena, 0, arena.written());
  };
  ASSERT_TRUE(lie());
  use();
  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    if (!starts_from_zero() || !lie()) ::_exit(1);
    use();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) ::_exit(starts_from_zero() ? 0 : 1);
    int status = 0;
    ::_exit(::waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(arena.at<unsigned char>(1), 0xA5);
}

TEST(Arena, IsUnmappedWhenItEnds) {
  auto arena = std::make_unique<Arena>(1U << 20U);
  std::byte* const page = &arena->at<std::byte>(0);
  EXPECT_TRUE(mapped(page));
  arena.reset();
  EXPECT_FALSE(mapped(page));
}

/// Asked of the kernel, which answers instead of ending the test.
bool accessible(const std::byte* byte) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return false;
  const bool readable = ::write(ends[1], byte, 1) == 1;
  for (const int end : ends) (void)::close(end);
  return readable;
}

TEST(Arena, OpensWhatIsNeededAndNoMore) {
  Arena arena{1U << 20U};
  EXPECT_FALSE(accessible(&arena.at<std::byte>(0)));
  ASSERT_TRUE(arena.open(1));
  EXPECT_TRUE(accessible(&arena.at<std::byte>(1023)));  // 64 KiB at a time
  EXPECT_FALSE(accessible(&arena.at<std::byte>(1024)));
  arena.write_ahead(1024, everything);
  EXPECT_TRUE(accessible(&arena.at<std::byte>(2047)));
  EXPECT_FALSE(accessible(&arena.at<std::byte>(2048)));
  EXPECT_TRUE(arena.open(16384));
  EXPECT_FALSE(arena.open(16385));
}

TEST(Arena, StopsWhereThereIsNoMoreMemory) {
  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    Arena arena{64U << 20U};
    arena.write_ahead(100, everything);
    const rlimit none{0, 0};  // of memory that may be written
    if (::setrlimit(RLIMIT_DATA, &none) != 0) ::_exit(1);
    arena.write_ahead(5000, everything);
    if (arena.written() != 128) ::_exit(2);
    if (arena.take(127) != 1 || arena.take(1) != 0) ::_exit(3);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// As services do that must never wait for a page. The whole reservation would be 64 MiB.
TEST(Arena, LocksNoMoreThanIsUsed) {
  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    if (::mlockall(MCL_FUTURE) != 0) ::_exit(77);
    Arena arena{64U << 20U};
    arena.write_ahead(100, everything);
    ::_exit(resident(&arena.at<std::byte>(64)) && !resident(&arena.at<std::byte>(2048)) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "memory may not be locked here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace event_metrics::record
