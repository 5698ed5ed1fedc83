#include "record/cells.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "record/layout.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t power(unsigned exponent) { return std::uint64_t{1} << exponent; }

double error_of(std::uint64_t value) {
  const auto exact = static_cast<double>(value);
  return std::abs(static_cast<double>(value_of(cell_of(value))) - exact) / exact;
}

TEST(CellOf, IsOneUnitThrough4095) {
  for (std::uint32_t value = 0; value < 4096; ++value) {
    ASSERT_EQ(cell_of(value), value);
    ASSERT_EQ(value_of(cell_of(value)), value);
  }
}

// Every value of the first octaves: each cell's value stands for what is in it, and no cell is left out.
TEST(CellOf, RisesByOneAndStaysWithinHalfAThousandth) {
  unsigned before = cell_of(0);
  for (std::uint32_t value = 1; value <= power(22); ++value) {
    const unsigned cell = cell_of(value);
    ASSERT_TRUE(cell == before || cell == before + 1) << value;
    ASSERT_LE(error_of(value), 0.0005) << value;
    before = cell;
  }
  EXPECT_EQ(before, 14'335U);
}

// The least and the greatest value of every cell above.
TEST(CellOf, RisesByOneAndStaysWithinHalfAThousandthToTheEnd) {
  unsigned cell = 14'335;
  for (unsigned octave = 22; octave < 39; ++octave) {
    const std::uint64_t width = power(octave - 10);
    for (std::uint64_t edge = power(octave); edge < power(octave + 1); edge += width) {
      ++cell;
      ASSERT_EQ(cell_of(edge + 1), cell) << edge;
      ASSERT_EQ(cell_of(edge + width), cell) << edge;
      ASSERT_LE(error_of(edge + 1), 0.0005) << edge;
      ASSERT_LE(error_of(edge + width), 0.0005) << edge;
    }
  }
  EXPECT_EQ(cell, 31'743U);
}

TEST(CellOf, HasAnEdgeAtEveryPowerOfTwo) {
  EXPECT_EQ(cell_of(power(12) - 1), 4'095U);
  EXPECT_EQ(cell_of(power(12)), 4'096U);
  EXPECT_EQ(cell_of(power(12) + 1), 4'096U);
  unsigned cell = 4'095;
  for (unsigned exponent = 13; exponent <= 39; ++exponent) {
    cell += 1'024;
    EXPECT_EQ(cell_of(power(exponent) - 1), cell) << exponent;
    EXPECT_EQ(cell_of(power(exponent)), cell) << exponent;
    if (exponent == 39) break;
    EXPECT_EQ(cell_of(power(exponent) + 1), cell + 1) << exponent;
  }
}

TEST(CellOf, TellsWhatIsBeyondTheLongestDurationApart) {
  EXPECT_EQ(cell_of(std::chrono::milliseconds{power(39)}), 31'743U);
  EXPECT_EQ(cell_of(std::chrono::milliseconds{power(39)} + 1ns), beyond_cell);
  EXPECT_EQ(cell_of(std::chrono::nanoseconds::max()), beyond_cell);
}

TEST(CellOf, HasEdgesAtTheSecondsThatAlertsAskFor) {
  for (const std::uint32_t edge : {100U, 500U, 1'000U, 2'500U, 5'000U, 10'000U, 30'000U, 60'000U}) {
    EXPECT_NE(cell_of(edge), cell_of(edge + 1)) << edge;
    EXPECT_LE(value_of(cell_of(edge)), edge);  // counts as within the limit
    EXPECT_GT(value_of(cell_of(edge + 1)), edge);
  }
}

TEST(CellOf, HoldsItsUpperEdge) {
  EXPECT_EQ(cell_of(4'096), 4'096U);
  EXPECT_EQ(cell_of(4'100), 4'096U);  // (4096, 4100], and 4096 itself
  EXPECT_EQ(cell_of(4'101), 4'097U);
  EXPECT_EQ(cell_of(4'997), cell_of(5'000));
  EXPECT_EQ(cell_of(8'192), 5'119U);
  EXPECT_EQ(cell_of(8'193), 5'120U);
  EXPECT_EQ(cell_of(9'993), cell_of(10'000));
}

TEST(CellOf, EndsWithTheGreatestValue) {
  EXPECT_EQ(greatest_value, 549'755'813'888U);
  EXPECT_EQ(cell_of(549'755'813'888), 31'743U);
  EXPECT_EQ(cell_of(549'755'813'888 - 268'435'455), 31'743U);
  EXPECT_EQ(cell_of(549'755'813'888 - 268'435'456), 31'742U);
}

TEST(ValueOf, IsTheMiddleOfACell) {
  EXPECT_EQ(value_of(4'095), 4'095U);
  EXPECT_EQ(value_of(4'096), 4'098U);
  EXPECT_EQ(value_of(cell_of(5'000)), 4'998U);
  EXPECT_EQ(value_of(cell_of(10'000)), 9'996U);
  EXPECT_EQ(value_of(14'335), 4'193'280U);
  EXPECT_EQ(value_of(14'336), 4'196'352U);
  EXPECT_EQ(value_of(31'743), 549'621'596'160U);
}

TEST(ValueOf, IsTheMiddleOfAnOctave) {
  EXPECT_EQ(fine_cells, 31'744U);  // the octaves come right behind
  EXPECT_EQ(value_of(31'744), 1U);
  EXPECT_EQ(value_of(31'745), 3U);
  EXPECT_EQ(value_of(31'746), 6U);
  EXPECT_EQ(value_of(31'754), 1'536U);
  EXPECT_EQ(value_of(31'766), 6'291'456U);
  EXPECT_EQ(value_of(31'782), 412'316'860'416U);
}

TEST(OctaveOf, IsTheBinaryLogarithmRoundedDown) {
  EXPECT_EQ(octave_of(0), 0U);
  EXPECT_EQ(octave_of(1), 0U);
  EXPECT_EQ(octave_of(2), 1U);
  EXPECT_EQ(octave_of(3), 1U);
  EXPECT_EQ(octave_of(4), 2U);
  EXPECT_EQ(octave_of(1'023), 9U);
  EXPECT_EQ(octave_of(1'024), 10U);
  EXPECT_EQ(octave_of(greatest_value - 1), 38U);
  EXPECT_EQ(octave_of(greatest_value), 39U);
}

TEST(OctaveOf, HasARoomForEveryValue) {
  EXPECT_EQ(coarse_cell(cell_of(greatest_value)) + 1, fine_cells + octaves);
  EXPECT_LE(octaves, cells_per_chunk);  // one chunk holds them
}

TEST(Layout, HasAPlaceForEveryCell) {
  EXPECT_EQ(octave_chunk, 496U);
  EXPECT_EQ(chunk_count, 497U);
  EXPECT_EQ(cell_count, 31'808U);
  EXPECT_EQ(exact_mids, 4U);
  EXPECT_EQ(far_mids, 27U);
  EXPECT_EQ((exact_mids + far_mids) * chunks_per_mid * cells_per_chunk, fine_cells);
}

TEST(WholeMilliseconds, RoundsDown) {
  EXPECT_EQ(whole_milliseconds(0ns), 0U);
  EXPECT_EQ(whole_milliseconds(999'999ns), 0U);
  EXPECT_EQ(whole_milliseconds(1'000'000ns), 1U);
  EXPECT_EQ(whole_milliseconds(1'999'999ns), 1U);
  EXPECT_EQ(whole_milliseconds(4'095'999'999ns), 4'095U);
  EXPECT_EQ(whole_milliseconds(5s), 5'000U);
}

TEST(WholeMilliseconds, IsZeroForNegativeDurations) {
  EXPECT_EQ(whole_milliseconds(-1ns), 0U);
  EXPECT_EQ(whole_milliseconds(-1s), 0U);
  EXPECT_EQ(whole_milliseconds(std::chrono::nanoseconds::min()), 0U);
}

TEST(WholeMilliseconds, StopsAtTheLongestDuration) {
  EXPECT_EQ(whole_milliseconds(24h * 50), 4'320'000'000U);  // does not fit 32 bits
  EXPECT_EQ(whole_milliseconds(549'755'813'887ms), 549'755'813'887U);
  EXPECT_EQ(whole_milliseconds(549'755'813'888ms), 549'755'813'888U);
  EXPECT_EQ(whole_milliseconds(549'755'813'889ms), 549'755'813'888U);
  EXPECT_EQ(whole_milliseconds(std::chrono::nanoseconds::max()), 549'755'813'888U);
}

TEST(AddAlone, WrapsAsUnsignedNumbersDo) {
  std::uint32_t word = 0xFFFF'FFFFU;
  add_alone(word, 1U);
  EXPECT_EQ(word, 0U);
  add_alone(word, 1U);
  EXPECT_EQ(word, 1U);
}

}  // namespace
}  // namespace event_metrics::record
