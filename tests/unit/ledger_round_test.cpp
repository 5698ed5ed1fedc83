// What belongs to a round, and what waits for the next.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "unit/ledger_rig.hpp"

namespace event_metrics::ledger {
namespace {

using namespace std::chrono_literals;

TEST(Ledger, BeginsARoundWithAFoldOnceTheLastOneIsOver) {
  Books books;
  books.recorder.success(url, 7ms);
  books.fold();
  ASSERT_FALSE(books.ledger.round_is_over());
  books.recorder.success(url, 7ms);
  books.recorder.success(url, 8ms);
  (void)books.ledger.fold(books.recorder.recorder(), true);
  EXPECT_EQ(books.ledger.owed(a, 7), 1u) << "the others wait for the next round";
  EXPECT_EQ(books.ledger.owed(a, 8), 0u);
  EXPECT_EQ(books.ledger.owed_timings(), 1u);
  books.ledger.commit({a, 7, 1});
  books.ledger.commit(successes(3));
  EXPECT_TRUE(books.ledger.round_is_over());
  EXPECT_FALSE(books.ledger.owes_nothing());
  EXPECT_EQ(books.ledger.next_owing_timings(0), std::nullopt);
  books.recorder.success(url, 8ms);
  (void)books.ledger.fold(books.recorder.recorder(), true);
  EXPECT_EQ(books.ledger.owed(a, 7), 1u);
  EXPECT_EQ(books.ledger.owed(a, 8), 2u);
  EXPECT_EQ(books.ledger.owed_timings(), 3u);
}

// Counters leave before their round. Should they come back, they are as old as the round that is under way.
TEST(Ledger, OwesWhatComesBackInTheRoundThatIsUnderWay) {
  Books books;
  books.recorder.failed(url);
  books.recorder.success(url, 7ms);
  books.fold();
  books.ledger.commit(failures(1));
  books.ledger.commit(announced);
  books.recorder.failed(url);
  (void)books.ledger.fold(books.recorder.recorder(), true);
  books.ledger.commit(failures(1));
  books.ledger.commit(successes(1));
  books.ledger.commit({a, 7, 1});
  EXPECT_TRUE(books.ledger.round_is_over());
  books.ledger.begin_round();
  books.ledger.take_back(failures(1));
  EXPECT_FALSE(books.ledger.round_is_over());
  books.ledger.expire();
  EXPECT_TRUE(books.ledger.round_is_over());
  EXPECT_EQ(books.ledger.totals().expired, 1u);
  EXPECT_EQ(books.ledger.owed_counts(a).tallied, 0u);
}

// Those that were recorded since the round began are younger than it, and are not given up with it.
TEST(Ledger, KeepsWhatComesBackYoungerThanTheRound) {
  Books books;
  books.recorder.failed(url);
  books.fold();
  books.recorder.failed(url);
  books.recorder.failed(url);
  (void)books.ledger.fold(books.recorder.recorder(), true);
  books.ledger.commit(failures(3));
  EXPECT_TRUE(books.ledger.round_is_over());
  books.ledger.take_back(failures(3));
  books.ledger.expire();
  EXPECT_EQ(books.ledger.totals().expired, 1u);
  EXPECT_EQ(books.ledger.owed_counts(a).tallied, 2u);
  books.ledger.begin_round();
  EXPECT_FALSE(books.ledger.round_is_over());
}

}  // namespace
}  // namespace event_metrics::ledger
