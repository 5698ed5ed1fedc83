#include "transport/fork_gate.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using transport::ForkGate;

// What `seen` is in a child forked now.
int in_child(const std::atomic<int>& seen) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(seen);
  int status = -1;
  (void)::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(ForkGate, LetsALookUpEndBeforeAFork) {
  std::atomic<int> inside{0};
  std::thread look_up{[&inside] {
    const ForkGate gate;
    inside = 1;
    inside.notify_one();
    std::this_thread::sleep_for(1ms);
    inside = 0;
  }};
  inside.wait(0);
  EXPECT_EQ(in_child(inside), 0);
  look_up.join();
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
