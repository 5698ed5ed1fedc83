#include "client/retry.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Clock = Retry::Clock;
using Urgency = Retry::Urgency;
using Step = Retry::Step;
using Permission = Retry::Permission;
using Consequence = Retry::Consequence;

const Clock::time_point start{1h};

/// Turns of one second, and bursts of which each has settled when the next begins.
struct Tries {
  explicit Tries(bool udp) : retry{udp} { retry.opened(start); }

  Permission ask(Clock::duration after, Urgency urgency = Urgency::routine) {
    return retry.may_send(start + after, urgency, start);
  }
  Consequence rest(Clock::duration after, Step step, bool has_next = false, bool went_on = false) {
    const auto next_turn = start + std::chrono::floor<std::chrono::seconds>(after) + 1s;
    return retry.rest(start + after, step, {start, next_turn, true, has_next, went_on});
  }
  void arrive(Clock::duration after) {
    (void)rest(after, Step::sent);
    retry.look_at_probe(start + after + 2ms, start + after + 2ms);
  }

  Retry retry;
};

TEST(Retry, PausesAfterEachBurstHoweverUrgentTheNextIs) {
  Tries tries{true};
  EXPECT_EQ(tries.ask(0s), Permission::send);
  EXPECT_EQ(tries.rest(0s, Step::sent), Consequence::none);
  EXPECT_EQ(tries.ask(9ms, Urgency::urgent), Permission::wait);
  EXPECT_EQ(tries.ask(10ms), Permission::send);
  EXPECT_EQ(tries.retry.next(Urgency::routine, start), start + 10ms);
  EXPECT_FALSE(tries.retry.away());
}

TEST(Retry, WaitsNoLongerThanUntilWhatIsLikeTheNextDatagramHasSettled) {
  Tries tries{true};
  (void)tries.retry.rest(start, Step::unsettled, {start + 2ms, start + 1s, true, false, false});
  EXPECT_EQ(tries.ask(1ms), Permission::wait);
  EXPECT_EQ(tries.ask(2ms), Permission::send);
}

TEST(Retry, SendsNoMoreThanAProbeUntilItHasArrived) {
  Tries tries{true};
  (void)tries.rest(0s, Step::refused);
  EXPECT_TRUE(tries.retry.away());
  tries.retry.look_at_probe(start + 10ms, start);
  EXPECT_TRUE(tries.retry.away());  // there is no probe yet
  EXPECT_FALSE(tries.retry.probing());
  (void)tries.rest(1s, Step::sent);
  EXPECT_TRUE(tries.retry.probing());
  EXPECT_EQ(tries.ask(2s, Urgency::urgent), Permission::wait);
  EXPECT_EQ(tries.retry.next(Urgency::routine, start + 1002ms), start + 1002ms);
  tries.retry.look_at_probe(start + 1001ms, start + 1002ms);
  EXPECT_TRUE(tries.retry.probing());
  tries.retry.look_at_probe(start + 1002ms, start + 1002ms);
  EXPECT_FALSE(tries.retry.probing());
  EXPECT_FALSE(tries.retry.away());
  EXPECT_EQ(tries.ask(1010ms), Permission::send);
}

TEST(Retry, TriesAnAbsentAgentOnceATurnAndForWhoWaitsAfterEachPause) {
  Tries tries{true};
  EXPECT_EQ(tries.rest(100ms, Step::refused), Consequence::tell);
  EXPECT_EQ(tries.ask(999ms), Permission::wait);
  EXPECT_EQ(tries.ask(109ms, Urgency::urgent), Permission::wait);
  EXPECT_EQ(tries.ask(110ms, Urgency::urgent), Permission::send);
  EXPECT_EQ(tries.retry.next(Urgency::urgent, start), start + 110ms);
  EXPECT_EQ(tries.retry.next(Urgency::routine, start), start + 1s);
  EXPECT_EQ(tries.ask(1s), Permission::send);
}

TEST(Retry, SendsWithoutWaitingForATurnOnceAnUrgentProbeHasArrived) {
  Tries tries{true};
  (void)tries.rest(100ms, Step::refused);
  tries.arrive(110ms);
  EXPECT_EQ(tries.ask(120ms), Permission::send);
}

TEST(Retry, TellsOfAnAbsentAgentOnlyWhereASocketLedToIt) {
  Tries tries{false};
  EXPECT_EQ(tries.retry.rest(start, Step::refused, {start, start + 1s, false, false, false}), Consequence::none);
  EXPECT_EQ(tries.ask(999ms), Permission::wait);
  EXPECT_EQ(tries.rest(1s, Step::refused), Consequence::tell);
}

TEST(Retry, DoublesTheTimeAfterEachErrorUpToHalfAMinute) {
  Tries tries{true};
  std::string tried;
  for (int second = 0; second < 100; ++second) {
    const std::chrono::seconds after{second};
    if (tries.ask(after) == Permission::wait) continue;
    EXPECT_EQ(tries.rest(after, Step::failed), Consequence::none);
    tried += std::to_string(second) + " ";
  }
  EXPECT_EQ(tried, "0 1 3 7 15 31 61 91 ");
  EXPECT_EQ(tries.ask(100s, Urgency::urgent), Permission::send_anew);
}

TEST(Retry, BeginsWithASecondAgainWhenAProbeHasArrived) {
  Tries tries{true};
  for (int second = 0; second < 5; ++second) (void)tries.rest(std::chrono::seconds{second}, Step::failed);
  tries.arrive(60s);
  (void)tries.rest(61s, Step::failed);
  EXPECT_EQ(tries.ask(62s - 1ms), Permission::wait);
  EXPECT_EQ(tries.ask(62s), Permission::send_anew);
}

TEST(Retry, GoesOnToTheNextAddressAfterTwoRefusedProbesInARow) {
  Tries tries{true};
  EXPECT_EQ(tries.rest(0s, Step::refused, true), Consequence::none);  // which was no probe
  EXPECT_EQ(tries.ask(10ms), Permission::send);
  EXPECT_EQ(tries.rest(10ms, Step::refused, true), Consequence::none);
  EXPECT_EQ(tries.rest(20ms, Step::refused, true), Consequence::go_on);
  EXPECT_EQ(tries.ask(30ms), Permission::send_anew);
  EXPECT_EQ(tries.rest(30ms, Step::refused, false, true), Consequence::none);
  EXPECT_EQ(tries.ask(40ms), Permission::send);
  EXPECT_EQ(tries.rest(40ms, Step::refused, false, true), Consequence::tell);
  EXPECT_EQ(tries.ask(50ms), Permission::wait);
  EXPECT_EQ(tries.ask(1s), Permission::send_anew);  // which begins with the first
}

TEST(Retry, CountsNoProbesThatWereRefusedBeforeOneArrived) {
  Tries tries{true};
  (void)tries.rest(0s, Step::refused, true);
  (void)tries.rest(10ms, Step::refused, true);
  tries.arrive(20ms);
  (void)tries.rest(30ms, Step::refused, true);
  EXPECT_EQ(tries.rest(40ms, Step::refused, true), Consequence::none);
  tries.arrive(50ms);
  (void)tries.rest(60ms, Step::failed, true);
  EXPECT_EQ(tries.rest(70ms, Step::refused, true), Consequence::none);
  EXPECT_EQ(tries.rest(80ms, Step::refused, true), Consequence::go_on);
}

TEST(Retry, TriesAddressesWithoutWaitingForTheTimeAfterAnError) {
  Tries tries{true};
  (void)tries.rest(0s, Step::failed, true);
  EXPECT_EQ(tries.ask(10ms), Permission::wait);
  (void)tries.rest(10ms, Step::refused, true);
  EXPECT_EQ(tries.ask(20ms), Permission::send_anew);
}

TEST(Retry, BeginsWithTheFirstAddressOnceTheAgentAtALaterOneHasGone) {
  Tries tries{true};
  EXPECT_EQ(tries.rest(0s, Step::refused, true, true), Consequence::none);
  EXPECT_EQ(tries.ask(10ms), Permission::send_anew);
}

TEST(Retry, LeavesAUdpSocketAfterFiveMinutesAndARefusedOneAfterThirtySeconds) {
  Tries tries{true};
  EXPECT_FALSE(tries.retry.outlived(start + 5min - 1ms));
  EXPECT_TRUE(tries.retry.outlived(start + 5min));
  (void)tries.rest(29s, Step::refused);
  EXPECT_EQ(tries.ask(30s), Permission::send);
  (void)tries.rest(30s, Step::refused);
  EXPECT_EQ(tries.ask(31s), Permission::send_anew);
  tries.retry.opened(start + 31s);
  (void)tries.rest(32s, Step::refused);
  EXPECT_EQ(tries.ask(33s), Permission::send);
}

TEST(Retry, LeavesAUnixSocketThatWasRefusedAndNoOldOne) {
  Tries tries{false};
  EXPECT_FALSE(tries.retry.outlived(start + 1h));
  (void)tries.rest(0s, Step::refused);
  EXPECT_EQ(tries.ask(1s), Permission::send_anew);
}

TEST(Retry, LeavesASocketOnlyWhenWhatItSentHasSettled) {
  Tries tries{true};
  tries.retry.renew();
  EXPECT_EQ(tries.retry.may_send(start, Urgency::urgent, start + 2ms), Permission::wait);
  EXPECT_EQ(tries.retry.next(Urgency::urgent, start + 2ms), start + 2ms);
  EXPECT_EQ(tries.retry.may_send(start + 2ms, Urgency::urgent, start + 2ms), Permission::send_anew);
  EXPECT_EQ(tries.retry.may_send(start + 2ms, Urgency::urgent, start + 2ms), Permission::send);
}

TEST(Retry, LeavesASocketThatHasBeenFullForFiveSeconds) {
  Tries tries{true};
  tries.retry.full(start);
  tries.retry.full(start + 4s);
  tries.retry.accepted();
  tries.retry.full(start + 5s);
  tries.retry.full(start + 10s - 1ms);
  EXPECT_EQ(tries.ask(10s), Permission::send);
  tries.retry.full(start + 10s);
  EXPECT_EQ(tries.ask(10s), Permission::send_anew);
  tries.retry.full(start + 11s);
  EXPECT_EQ(tries.ask(11s), Permission::send);
}

TEST(Retry, IsHeldUpWithoutAnAgentOrASocketOrRoomForAnInterval) {
  Tries tries{true};
  EXPECT_FALSE(tries.retry.held_up(start, true, 1s));
  EXPECT_TRUE(tries.retry.held_up(start, false, 1s));
  tries.retry.full(start);
  EXPECT_FALSE(tries.retry.held_up(start + 1s - 1ms, true, 1s));
  EXPECT_TRUE(tries.retry.held_up(start + 1s, true, 1s));
  tries.retry.accepted();
  EXPECT_FALSE(tries.retry.held_up(start + 1s, true, 1s));
  (void)tries.rest(1s, Step::refused);
  EXPECT_TRUE(tries.retry.held_up(start + 1s, true, 1s));
}

}  // namespace
}  // namespace event_metrics
