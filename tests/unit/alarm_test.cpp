#include "base/alarm.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Alarm, SleepsUntilTheTimeAgainAndAgain) {
  Alarm alarm;
  for (int i = 0; i < 3; ++i) {
    const Clock::time_point when = Clock::now() + 5ms;
    alarm.sleep_until(when);
    EXPECT_GE(Clock::now(), when);
    EXPECT_FALSE(alarm.rung());
  }
}

TEST(Alarm, IsBackAtOnceWhenTheTimeHasPassed) {
  Alarm alarm;
  alarm.sleep_until(Clock::now() - 1h);
  EXPECT_FALSE(alarm.rung());
}

TEST(Alarm, EndsASleepWhenRung) {
  Alarm alarm;
  std::thread sleeper{[&] { alarm.sleep_until(Clock::now() + 1h); }};
  alarm.ring();
  sleeper.join();  // the test's timeout is what fails otherwise
  EXPECT_TRUE(alarm.rung());
}

TEST(Alarm, DoesNotSleepAfterItWasRung) {
  Alarm alarm;
  alarm.ring();
  alarm.sleep_until(Clock::now() + 1h);
  EXPECT_TRUE(alarm.rung());
}

}  // namespace
}  // namespace event_metrics
