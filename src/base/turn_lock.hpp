// base/turn_lock.hpp - the lock that flushers take, with a deadline. Recording never touches it.
//
// A flag under a mutex instead of std::timed_mutex, whose timed waits ThreadSanitizer does not see.

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace event_metrics::inline v0 {

class TurnLock {
 public:
  /// True when the lock is had, false when `deadline` came first.
  bool enter_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    if (!free_.wait_until(lock, deadline, [this] { return !taken_; })) return false;
    taken_ = true;
    return true;
  }
  void enter() {
    std::unique_lock lock{mutex_};
    free_.wait(lock, [this] { return !taken_; });
    taken_ = true;
  }
  void leave() {
    {
      const std::lock_guard lock{mutex_};
      taken_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
};

}  // namespace event_metrics::inline v0
