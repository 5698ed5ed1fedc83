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

TEST(CellOf, IsOneMillisecondThrough4095) {
  for (std::uint32_t ms = 0; ms < 4096; ++ms) {
    ASSERT_EQ(cell_of(ms), ms);
    ASSERT_EQ(value_of(cell_of(ms)), ms);
  }
}

// Every millisecond that can be recorded: each cell's value stands for what is in it, and no cell is left out.
TEST(CellOf, RisesByOneAndStaysWithinHalfAThousandth) {
  unsigned before = cell_of(0);
  for (std::uint32_t ms = 1; ms <= longest_duration; ++ms) {
    const unsigned cell = cell_of(ms);
    ASSERT_TRUE(cell == before || cell == before + 1) << ms;
    const double error = std::abs(static_cast<double>(value_of(cell)) - ms) / ms;
    ASSERT_LE(error, 0.0005) << ms;
    before = cell;
  }
  EXPECT_EQ(before, 14'335U);
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

TEST(CellOf, EndsWithTheLongestDuration) {
  EXPECT_EQ(longest_duration, 4'194'304U);
  EXPECT_EQ(cell_of(4'194'304), 14'335U);
  EXPECT_EQ(cell_of(4'194'304 - 2'047), 14'335U);
  EXPECT_EQ(cell_of(4'194'304 - 2'048), 14'334U);
}

TEST(ValueOf, IsTheMiddleOfACell) {
  EXPECT_EQ(value_of(4'095), 4'095U);
  EXPECT_EQ(value_of(4'096), 4'098U);
  EXPECT_EQ(value_of(cell_of(5'000)), 4'998U);
  EXPECT_EQ(value_of(cell_of(10'000)), 9'996U);
  EXPECT_EQ(value_of(14'335), 4'193'280U);
}

TEST(ValueOf, IsTheMiddleOfAnOctave) {
  EXPECT_EQ(fine_cells, 14'336U);  // the octaves come right behind
  EXPECT_EQ(value_of(14'336), 1U);
  EXPECT_EQ(value_of(14'337), 3U);
  EXPECT_EQ(value_of(14'338), 6U);
  EXPECT_EQ(value_of(14'346), 1'536U);
  EXPECT_EQ(value_of(14'358), 6'291'456U);
}

TEST(OctaveOf, IsTheBinaryLogarithmRoundedDown) {
  EXPECT_EQ(octave_of(0), 0U);
  EXPECT_EQ(octave_of(1), 0U);
  EXPECT_EQ(octave_of(2), 1U);
  EXPECT_EQ(octave_of(3), 1U);
  EXPECT_EQ(octave_of(4), 2U);
  EXPECT_EQ(octave_of(1'023), 9U);
  EXPECT_EQ(octave_of(1'024), 10U);
  EXPECT_EQ(octave_of(longest_duration - 1), 21U);
  EXPECT_EQ(octave_of(longest_duration), 22U);
}

TEST(OctaveOf, HasARoomForEveryDuration) {
  EXPECT_EQ(coarse_cell(cell_of(longest_duration)) + 1, fine_cells + octaves);
  EXPECT_LE(octaves, cells_per_chunk);  // one chunk holds them
}

TEST(Layout, HasAPlaceForEveryCell) {
  EXPECT_EQ(octave_chunk, 224U);
  EXPECT_EQ(chunk_count, 225U);
  EXPECT_EQ(cell_count, 14'400U);
  EXPECT_EQ(mids_per_header, 13U);
  EXPECT_EQ((1 + mids_per_header) * chunks_per_mid * cells_per_chunk, fine_cells);
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
  EXPECT_EQ(whole_milliseconds(4'194'303ms), 4'194'303U);
  EXPECT_EQ(whole_milliseconds(4'194'304ms), 4'194'304U);
  EXPECT_EQ(whole_milliseconds(4'194'305ms), 4'194'304U);
  // Hours that would wrap 32 bits of milliseconds.
  EXPECT_EQ(whole_milliseconds(24h * 50), 4'194'304U);
  EXPECT_EQ(whole_milliseconds(std::chrono::nanoseconds::max()), 4'194'304U);
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
