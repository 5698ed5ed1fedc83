#include "ledger/series_set.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace event_metrics::ledger {
namespace {

std::vector<std::uint32_t> all_of(const SeriesSet& set) {
  std::vector<std::uint32_t> all;
  set.for_each([&all](std::uint32_t series) { all.push_back(series); });
  return all;
}

TEST(SeriesSet, IsEmptyAtFirst) {
  const SeriesSet set{200};
  EXPECT_EQ(set.next(0), std::nullopt);
  EXPECT_TRUE(all_of(set).empty());
}

TEST(SeriesSet, FindsInACircleWhatIsInIt) {
  SeriesSet set{200};
  for (const std::uint32_t series : {3U, 63U, 64U, 199U}) set.put(series, true);
  EXPECT_EQ(set.next(0), 3U);
  EXPECT_EQ(set.next(3), 3U);
  EXPECT_EQ(set.next(4), 63U);
  EXPECT_EQ(set.next(64), 64U);
  EXPECT_EQ(set.next(65), 199U);
  EXPECT_EQ(set.next(200), 3U);
  set.put(199, false);
  EXPECT_EQ(set.next(65), 3U);
}

// Of the word in which a search begins, what lies before comes last.
TEST(SeriesSet, FindsTheOnlyOneFromBehindIt) {
  SeriesSet set{200};
  set.put(70, true);
  EXPECT_EQ(set.next(71), 70U);
}

TEST(SeriesSet, VisitsAscendingAndLetsTheVisitedBeTakenOut) {
  SeriesSet set{200};
  for (const std::uint32_t series : {150U, 2U, 64U, 65U}) set.put(series, true);
  EXPECT_EQ(all_of(set), (std::vector<std::uint32_t>{2, 64, 65, 150}));
  set.for_each([&set](std::uint32_t series) { set.put(series, series % 2 != 0); });
  EXPECT_EQ(all_of(set), (std::vector<std::uint32_t>{65}));
}

}  // namespace
}  // namespace event_metrics::ledger
