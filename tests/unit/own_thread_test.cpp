#include "own_thread.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <string>
#include <thread>

namespace event_metrics {
namespace {

sigset_t blocked() {
  sigset_t now;
  (void)::pthread_sigmask(SIG_BLOCK, nullptr, &now);
  return now;
}

TEST(OwnThread, BlocksEverySignalAndLeavesItsMakersMaskAlone) {
  const sigset_t before = blocked();
  sigset_t inside{};
  own_thread("test", [&inside] { inside = blocked(); }).join();
  const sigset_t after = blocked();
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGPIPE}) {
    EXPECT_EQ(sigismember(&inside, signal), 1) << signal;
    EXPECT_EQ(sigismember(&after, signal), sigismember(&before, signal)) << signal;
  }
}

TEST(OwnThread, HasItsName) {
  std::string name(16, '\0');
  std::atomic<bool> named{false};
  std::thread thread = own_thread("some-thread", [&] {
    named.wait(false);
    (void)::pthread_getname_np(::pthread_self(), name.data(), name.size());
  });
  named = true;
  named.notify_one();
  thread.join();
  EXPECT_STREQ(name.c_str(), "some-thread");
}

}  // namespace
}  // namespace event_metrics
