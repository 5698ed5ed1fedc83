#include "record/ring.hpp"

#include <gtest/gtest.h>

#include "record/endpoint_table.hpp"

namespace event_metrics::record {
namespace {

TEST(RingEntry, IsNeverZeroAndGivesBackEndpointAndCell) {
  for (const std::uint32_t endpoint : {other_endpoint, invalid_endpoint, 2U, 1000U, 100'001U, most_endpoints - 1}) {
    for (const unsigned cell : {0U, 1U, exact_cells, fine_cells - 1, failed_cell}) {
      const std::uint32_t entry = entry_of(endpoint, cell);
      EXPECT_NE(entry, 0U);
      EXPECT_EQ(endpoint_of(entry), endpoint);
      EXPECT_EQ(cell_of_entry(entry), cell);
    }
  }
}

TEST(RingEntry, HasRoomForTheMostEndpoints) { EXPECT_GE(most_endpoints, 100'000U + first_endpoint); }

}  // namespace
}  // namespace event_metrics::record
