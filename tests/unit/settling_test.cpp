#include "client/settling.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Clock = Settling::Clock;
using Left = Settling::Left;

const Clock::time_point start{1h};

TEST(Settling, KnowsNothingAcceptedAtFirst) {
  const Settling settling{start, 1s, 0s};
  EXPECT_EQ(settling.accepted_until(), Clock::time_point::min());
  EXPECT_FALSE(settling.next());
}

TEST(Settling, CountsWhatHasLeftOnceItHasSettled) {
  Settling settling{start, 1s, 0s};
  settling.fold(start + 1s, true);
  settling.end_burst(start + 2s, Left::all, start + 2s + 2ms);
  EXPECT_EQ(settling.next(), start + 2s + 2ms);
  settling.end_burst(start + 2s + 1ms, Left::all, start + 2s + 2ms);
  EXPECT_LT(settling.accepted_until(), start);
  EXPECT_EQ(settling.age(start + 3s), 3s);
  settling.end_burst(start + 2s + 2ms, Left::part, start + 2s + 2ms);
  EXPECT_EQ(settling.accepted_until(), start + 1s);
  EXPECT_EQ(settling.age(start + 3s), 2s);
  EXPECT_FALSE(settling.next());
}

TEST(Settling, CountsAtOnceWhatCanNotBeRefused) {
  Settling settling{start, 1s, 0s};
  settling.fold(start + 1s, true);
  settling.end_burst(start + 2s, Left::all, Clock::time_point::min());
  EXPECT_EQ(settling.accepted_until(), start + 1s);
}

TEST(Settling, CountsNothingWhileTheRoundIsOwedInPart) {
  Settling settling{start, 1s, 0s};
  settling.fold(start + 1s, true);
  settling.end_burst(start + 1s, Left::part, start);
  EXPECT_LT(settling.accepted_until(), start);
  EXPECT_FALSE(settling.next());
}

TEST(Settling, CountsOfARoundOnlyWhatWasOwedWhenItBegan) {
  Settling settling{start, 1s, 0s};
  settling.fold(start + 1s, true);
  settling.fold(start + 2s, false);  // the round goes on
  settling.end_burst(start + 2s, Left::round, start);
  EXPECT_EQ(settling.accepted_until(), start + 1s);
  settling.begin_round();
  settling.end_burst(start + 3s, Left::round, start);
  EXPECT_EQ(settling.accepted_until(), start + 2s);
}

TEST(Settling, ForgetsWhatItWaitedForWhenThereIsARefusal) {
  Settling settling{start, 1s, 0s};
  settling.fold(start + 1s, true);
  settling.end_burst(start + 1s, Left::all, start + 1s + 2ms);
  settling.refused();
  EXPECT_FALSE(settling.next());
  settling.end_burst(start + 1s + 2ms, Left::part, start + 1s + 2ms);
  EXPECT_LT(settling.accepted_until(), start);
}

TEST(Settling, WaitsForNoMoreThanItDidWhenMoreHasLeftMeanwhile) {
  Settling settling{start, 1s, 0s};
  settling.fold(start + 1s, true);
  settling.end_burst(start + 1s, Left::all, start + 1s + 2ms);
  settling.fold(start + 1s + 1ms, true);
  settling.end_burst(start + 1s + 1ms, Left::all, start + 1s + 3ms);
  EXPECT_EQ(settling.next(), start + 1s + 2ms);
  settling.end_burst(start + 1s + 2ms, Left::all, start + 1s + 3ms);
  EXPECT_EQ(settling.accepted_until(), start + 1s);
  EXPECT_EQ(settling.next(), start + 1s + 3ms);  // for what has left meanwhile
  settling.end_burst(start + 1s + 3ms, Left::all, start + 1s + 3ms);
  EXPECT_EQ(settling.accepted_until(), start + 1s + 1ms);
}

TEST(Settling, GivesUpARoundAnIntervalBeforeItHasLastedForHalfOfKeepFor) {
  Settling settling{start, 1s, 10s};
  settling.fold(start + 1s, true);
  settling.fold(start + 3s, false);
  EXPECT_FALSE(settling.round_has_lasted(start + 5s - 1ms));
  EXPECT_TRUE(settling.round_has_lasted(start + 5s));
  settling.give_up_round();
  EXPECT_EQ(settling.age(start + 5s), 4s);
  settling.begin_round();
  EXPECT_FALSE(settling.round_has_lasted(start + 7s - 1ms));
  EXPECT_TRUE(settling.round_has_lasted(start + 7s));
}

TEST(Settling, GivesUpNoRoundBeforeHalfAnIntervalHasPassed) {
  Settling settling{start, 1s, 2s};
  EXPECT_FALSE(settling.round_has_lasted(start + 499ms));
  EXPECT_TRUE(settling.round_has_lasted(start + 500ms));
}

TEST(Settling, GivesUpNothingThatIsKeptForEver) {
  const Settling settling{start, 1s, 0s};
  EXPECT_FALSE(settling.round_has_lasted(start + std::chrono::hours{24 * 365}));
}

TEST(Settling, IsNoOlderAfterGivingUpARoundThatBeganBeforeWhatIsAccepted) {
  Settling settling{start, 1s, 10s};
  settling.fold(start + 1s, true);
  settling.fold(start + 2s, false);
  settling.end_burst(start + 2s, Left::all, start);
  settling.give_up_round();
  EXPECT_EQ(settling.age(start + 2s), 0s);
}

TEST(Settling, IsNoOlderWhenAnEarlierRoundSettlesAfterOneWasGivenUp) {
  Settling settling{start, 1s, 10s};
  settling.fold(start + 1s, true);
  settling.end_burst(start + 1s, Left::round, start + 7s);
  settling.fold(start + 2s, true);
  settling.give_up_round();
  settling.end_burst(start + 7s, Left::part, start + 7s);
  EXPECT_EQ(settling.accepted_until(), start + 1s);
  EXPECT_EQ(settling.age(start + 7s), 5s);
}

TEST(Settling, LeavesElevenIntervalsFromTheOldestOn) {
  Settling settling{start, 1s, 0s};
  EXPECT_EQ(settling.time_left(start), 11s);
  EXPECT_EQ(settling.time_left(start + 12s), -1s);
  settling.fold(start + 3s, true);
  settling.end_burst(start + 4s, Left::all, start);
  EXPECT_EQ(settling.time_left(start + 4s), 10s);
}

TEST(Settling, LeavesShortIntervalsAsMuchTimeAsThoseOfATenthOfASecond) {
  EXPECT_EQ((Settling{start, 99ms, 0s}.time_left(start)), 1100ms);
  EXPECT_EQ((Settling{start, 101ms, 0s}.time_left(start)), 1111ms);
}

TEST(Settling, LeavesNoMoreTimeThanUntilTheRoundIsGivenUp) {
  EXPECT_EQ((Settling{start, 1s, 10s}.time_left(start)), 5s);
  EXPECT_EQ((Settling{start, 1s, 60s}.time_left(start)), 11s);
}

TEST(Settling, LeavesAllOfTheTimeAfterwardsWhenNothingCouldBeSent) {
  Settling settling{start, 1s, 0s};
  settling.held_up(start + 20s);
  EXPECT_EQ(settling.time_left(start + 21s), 10s);
  EXPECT_EQ(settling.age(start + 21s), 21s);
}

}  // namespace
}  // namespace event_metrics
