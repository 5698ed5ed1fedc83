// base/alarm.hpp - lets the flushing thread sleep until its next turn, or until it is rung.
//
// A condition variable instead of an Asio timer, which allocates for every wait and needs three descriptors: a service
// may be out of either, and this thread has to go on.

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace event_metrics::inline v0 {

class Alarm {
 public:
  /// Sleeps until `when`; at once back when the alarm was rung, now or before.
  void sleep_until(std::chrono::steady_clock::time_point when) {
    std::unique_lock lock{mutex_};
    (void)bell_.wait_until(lock, when, [this] { return rung_; });
  }

  /// Ends this sleep and all that follow. Any thread.
  void ring() {
    {
      const std::lock_guard lock{mutex_};
      rung_ = true;
    }
    bell_.notify_all();
  }
  bool rung() const {
    const std::lock_guard lock{mutex_};
    return rung_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable bell_;
  bool rung_ = false;
};

}  // namespace event_metrics::inline v0
