#include "transport/fork_gate.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/child.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using transport::ForkGate;

// What `seen` is in a child forked now. Not its exit status, which ThreadSanitizer replaces because of the parent's
// thread.
int in_child(const std::atomic<int>& seen) {
  const support::Shared<std::atomic<int>> told;
  (void)support::Child{[&] {
    *told = seen.load();
    return 0;
  }}.status();
  return *told;
}

// On a busy machine a look-up may take longer than a fork waits, so one of many may be met.
TEST(ForkGate, LetsALookUpEndBeforeAFork) {
  constexpr int forks = 20;
  static std::atomic<int> fork_begun{0};
  ASSERT_EQ(::pthread_atfork(
                [] {  // before the gate's own, which was registered earlier
                  fork_begun = 1;
                  fork_begun.notify_one();
                },
                nullptr, nullptr),
            0);
  int met = 0;
  for (int i = 0; i < forks; ++i) {
    fork_begun = 0;
    std::atomic<int> inside{0};
    std::thread look_up{[&inside] {
      const ForkGate gate;
      inside = 1;
      inside.notify_one();
      fork_begun.wait(0);
      std::this_thread::sleep_for(1ms);  // the look-up's time
      inside = 0;
    }};
    inside.wait(0);
    met += in_child(inside);
    look_up.join();
  }
  EXPECT_LT(met, forks / 2);
}

TEST(ForkGate, LetsAForkPassALookUpThatTakesLong) {
  std::atomic<int> inside{0};
  std::thread look_up{[&inside] {
    const ForkGate gate;
    inside = 1;
    inside.notify_one();
    inside.wait(1);
  }};
  inside.wait(0);
  EXPECT_EQ(in_child(inside), 1);  // the test's timeout is what fails otherwise
  inside = 0;
  inside.notify_one();
  look_up.join();
}

TEST(ForkGate, IsOpenInTheChild) {
  const ForkGate parents;
  const pid_t child = ::fork();
  if (child == 0) {
    { const ForkGate own; }
    if (::fork() == 0) ::_exit(0);
    ::_exit(::wait(nullptr) > 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace event_metrics
