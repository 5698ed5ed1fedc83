#include "own_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <exception>
#include <utility>
#include <vector>

namespace event_metrics::inline v0 {

std::thread own_thread(const char* name, std::function<void()> run) {
  // The service's signals are for the service's threads. A new thread inherits its maker's mask.
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread{std::move(run)};
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
