#include "base/own_thread.hpp"

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

TEST(OwnThread, BlocksTheServicesSignalsAndLeavesItsMakersMaskAlone) {
  const sigset_t before = blocked();
  sigset_t inside{};
  own_thread("test", [&inside] { inside = blocked(); }).join();
  const sigset_t after = blocked();
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGPIPE}) {
    EXPECT_EQ(sigismember(&inside, signal), 1) << signal;
    EXPECT_EQ(sigismember(&after, signal), sigismember(&before, signal)) << signal;
  }
}

TEST(OwnThread, LeavesACrashToTheServicesHandler) {
  sigset_t inside{};
  own_thread("test", [&inside] { inside = blocked(); }).join();
  for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    EXPECT_EQ(sigismember(&inside, crash), 0) << crash;
  }
}

TEST(OwnThread, LeavesItsMakersMaskAloneWhereACrashIsBlockedThere) {
  sigset_t trap;
  (void)sigemptyset(&trap);
  (void)sigaddset(&trap, SIGTRAP);
  (void)::pthread_sigmask(SIG_BLOCK, &trap, nullptr);
  own_thread("test", [] {}).join();
  const sigset_t after = blocked();
  (void)::pthread_sigmask(SIG_UNBLOCK, &trap, nullptr);
  EXPECT_EQ(sigismember(&after, SIGTRAP), 1);
}

TEST(OwnThread, GoesOnWhereWhatItRunsCancelsIt) {
  bool went_on = false;
  own_thread("test", [&went_on] {
    (void)::pthread_cancel(::pthread_self());
    ::pthread_testcancel();
    went_on = true;
  }).join();
  EXPECT_TRUE(went_on);
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
