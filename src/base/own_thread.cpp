#include "base/own_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <exception>
#include <utility>
#include <vector>

#include "base/no_cancellation.hpp"

namespace event_metrics::inline v0 {

namespace {

// A crash in on_error is for the service's crash handler, which does not run where its signal is blocked.
void let_crashes_through() noexcept {
  sigset_t crashes;
  (void)sigemptyset(&crashes);
  for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) (void)sigaddset(&crashes, crash);
  (void)::pthread_sigmask(SIG_UNBLOCK, &crashes, nullptr);
}

}  // namespace

std::thread own_thread(const char* name, std::function<void()> run) {
  // The service's signals are for the service's threads. A new thread inherits its maker's mask.
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread{[run = std::move(run)] {
      let_crashes_through();
      const NoCancellation until_the_end;  // on_error may cancel the thread that it is on
      run();
    }};
  } catch (...) {
    (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  (void)::pthread_setname_np(thread.native_handle(), name);
  return thread;
}

void abandon(const void* left) noexcept {
  try {
    static auto* const abandoned = new std::vector<const void*>;
    abandoned->push_back(left);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a leak in name only
  }
}

}  // namespace event_metrics::inline v0
