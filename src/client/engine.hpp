// client/engine.hpp - a flush with the lock around it, the thread that drives it, and the snapshot that it leaves.

#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "base/alarm.hpp"
#include "base/listener.hpp"
#include "base/turn_lock.hpp"
#include "client/flush.hpp"
#include "event_metrics/statsd/stats.hpp"

namespace event_metrics::inline v0 {

/// Everything of a client that a forked child cannot use: it leaves its parent's untouched and makes its own.
class Engine {
 public:
  using Clock = Flush::Clock;

  /// `listener`, `recorder` and `labels` outlive the engine.
  Engine(const Listener& listener, Flush::Setup setup, DeliverySeries series, record::Recorder& recorder,
         const RowLabels& labels);
  /// Ends the thread, if there is one: in a forked child it may have come after close() had looked for it.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Starts the thread that flushes. Throws std::system_error.
  void start();

  /// Ends the thread, sends what is owed until `deadline`, and tells what is left.
  void close(Clock::time_point deadline) noexcept;

  /// In a forked child: it, or its thread, could not be made at the first call, for this error number. The next turn
  /// tells; 0 is nothing to tell. Any thread.
  void tell_late(int error) noexcept { late_.store(error, std::memory_order_relaxed); }  // all that is said

  /// In a forked child, of its parent's engine.
  void leave_to_parent() const noexcept { flush_.leave_to_parent(); }

  /// See StatsdEventMetrics.
  bool flush(Clock::time_point deadline) noexcept;
  /// Of a flush that may take so long from now.
  static Clock::time_point deadline(std::chrono::milliseconds timeout) noexcept;
  Clock::time_point poll() noexcept;
  statsd::Stats stats() const noexcept;

 private:
  void run() noexcept;
  void end_thread() noexcept;
  bool on_own_thread() const noexcept;
  bool begin_turn(Clock::time_point now, bool last) noexcept;
  void look_whether_late() noexcept;
  bool flush_until(Clock::time_point deadline, bool last) noexcept;
  Flush::Outcome step() noexcept;
  /// Leaves the turn: publishes the figures, and tells what went wrong with no lock held.
  void leave_turn() noexcept;

  const Listener& listener_;
  Flush flush_;
  TurnLock turn_;
  Alarm alarm_;
  std::thread thread_;
  std::atomic<int> waiting_{0};                // flushes that somebody waits for; relaxed: tells how to step, no more
  std::atomic<int> late_{0};                   // what tell_late() was given last; relaxed, see there
  std::atomic<std::thread::id> own_thread_{};  // relaxed: only that thread can find itself in it
  mutable std::mutex published_mutex_;         // held for a copy
  statsd::Stats published_;
};

}  // namespace event_metrics::inline v0
