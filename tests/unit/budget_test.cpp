#include "record/budget.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace event_metrics::record {
namespace {

constexpr std::size_t bytes = 1000 * Arena::line_bytes;

/// With 64 lines written; a reader wants as much as there is.
struct Rig {
  Rig() {
    (void)arena.open(Arena::lines_per_page);
    arena.write_ahead(Arena::lines_per_page - 1, Arena::lines_per_page);
  }

  Arena arena{bytes};
  Budget budget{arena, {.bytes = bytes, .reader_share = 1}};
};

TEST(Budget, HasNothingUntilThereIsAReader) {
  const Rig rig;
  EXPECT_EQ(rig.arena.written(), 64U);
  EXPECT_EQ(rig.budget.most_lines(), 64U);
}

TEST(Budget, KeepsForEachLineWhatTheReaderMayWantForIt) {
  Rig rig;
  (void)rig.arena.take(63);
  rig.budget.begin(0);
  EXPECT_EQ(rig.budget.most_lines(), 64U + (1000 - 64) / 2);  // all that is there needs no more
  rig.budget.begin(100 * Arena::line_bytes);
  EXPECT_EQ(rig.budget.most_lines(), 64U + (1000 - 64 - 100) / 2);
}

TEST(Budget, KeepsItForWhatHasNotBeenRead) {
  Rig rig;
  rig.budget.begin(0);
  EXPECT_EQ(rig.budget.most_lines(), 64U + (1000 - 64 - 63) / 2);
}

// A thread may have taken a line before the first reading, and have counted there after it.
TEST(Budget, BelievesThatALineWasReadAfterTheSecondReading) {
  Rig rig;
  rig.budget.begin(0);
  (void)rig.arena.take(63);
  rig.budget.begin_reading();
  rig.budget.end_reading(true, 0);
  EXPECT_EQ(rig.budget.most_lines(), 64U + (1000 - 64 - 63) / 2);
  rig.budget.begin_reading();
  rig.budget.end_reading(true, 10 * Arena::line_bytes);
  EXPECT_EQ(rig.budget.most_lines(), 64U + (1000 - 64 - 10) / 2);
}

TEST(Budget, BelievesNothingOfAReadingThatWasNotComplete) {
  Rig rig;
  rig.budget.begin(0);
  (void)rig.arena.take(63);
  for (int reading = 0; reading < 3; ++reading) {
    rig.budget.begin_reading();
    rig.budget.end_reading(false, 10 * Arena::line_bytes);
  }
  EXPECT_EQ(rig.budget.most_lines(), 64U + (1000 - 64 - 63 - 10) / 2);
}

TEST(Budget, HasNothingWhereAllIsTaken) {
  Rig rig;
  rig.budget.begin(2 * bytes);
  EXPECT_EQ(rig.budget.most_lines(), 64U);
}

}  // namespace
}  // namespace event_metrics::record
