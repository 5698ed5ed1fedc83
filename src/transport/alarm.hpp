// transport/alarm.hpp - lets the flushing thread sleep until its next turn, or until it is rung.

#pragma once

#include <chrono>
#include <memory>

namespace event_metrics::inline v0::transport {

class Alarm {
 public:
  Alarm();
  ~Alarm();

  /// Sleeps until `when`; at once back when the alarm was rung, now or before. One thread.
  void sleep_until(std::chrono::steady_clock::time_point when);

  /// Ends this sleep and all that follow. Any thread.
  void ring() noexcept;
  bool rung() const noexcept;

 private:
  struct Timer;
  std::unique_ptr<Timer> timer_;
};

}  // namespace event_metrics::inline v0::transport
