#include "record/ring.hpp"

#include <gtest/gtest.h>

#include "delivery/endpoint_table.hpp"

namespace event_metrics::record {
namespace {

TEST(RingWord, IsNeverZeroAndGivesBackRowAndCell) {
  for (const std::uint32_t row : {0U, 1U, 2U, 1000U, 100'001U, most_rows - 1}) {
    for (const unsigned cell : {0U, 1U, exact_cells, fine_cells - 1, tally_code, beyond_cell}) {
      const std::uint32_t word = word_of(row, cell);
      EXPECT_NE(word, 0U);
      EXPECT_EQ(row_of(word), row);
      EXPECT_EQ(cell_of_word(word), cell);
    }
  }
}

TEST(RingWord, HasRoomForTheMostEndpoints) { EXPECT_GE(most_rows, 100'000U + delivery::first_endpoint); }

}  // namespace
}  // namespace event_metrics::record
