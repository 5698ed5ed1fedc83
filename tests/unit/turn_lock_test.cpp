#include "base/turn_lock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(TurnLock, KeepsAllButOneOut) {
  TurnLock lock;
  int inside = 0;
  int entries = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 500; ++turn) {
        lock.enter();
        EXPECT_EQ(++inside, 1);
        ++entries;
        --inside;
        lock.leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(entries, 2000);
}

TEST(TurnLock, GivesUpAtTheDeadline) {
  TurnLock lock;
  lock.enter();
  const Clock::time_point deadline = Clock::now() + 10ms;
  EXPECT_FALSE(lock.enter_until(deadline));
  EXPECT_GE(Clock::now(), deadline);
  lock.leave();
  EXPECT_TRUE(lock.enter_until(Clock::now()));  // free: no deadline is too near
  lock.leave();
}

}  // namespace
}  // namespace event_metrics
