// client/per_process.hpp - the engine of a client in this process: a forked child makes its own, and leaves its
// parent's alone.

#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/no_cancellation.hpp"
#include "base/own_thread.hpp"
#include "record/recorder.hpp"
#include "record/registry.hpp"

namespace event_metrics::inline v0 {

/// An engine is what drains a recorder, and can be destroyed while it runs. It has start(), which may throw, and in a
/// forked child is told by tell_late(error) that it, or its thread, could not be made at the first call, where 0 is
/// nothing to tell. Of its parent's, leave_to_parent() is called there and nothing else.
template <class Engine>
class PerProcess {
 public:
  using Clock = record::Recorder::Clock;
  using Make = std::function<std::unique_ptr<Engine>(bool in_child)>;

  /// Makes the first, and starts it if it is to have an `own_thread`. `recorder` outlives this, and its Reborn is
  /// begin_in_child(). Throws what `make` and start() throw.
  PerProcess(record::Recorder& recorder, Make make, bool own_thread)
      : recorder_{recorder}, make_{std::move(make)}, own_thread_{own_thread} {
    const NoCancellation meanwhile;
    std::unique_ptr<Engine> engine = make_(false);
    if (own_thread_) engine->start();
    engine_.store(engine.release(), std::memory_order_release);
  }
  ~PerProcess() { end(); }
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;

  /// See record::Recorder::Reborn. Without a thread the engine still does what its client asks of it.
  bool begin_in_child(bool first) noexcept {
    if (first) {
      leave(engine_.exchange(nullptr, std::memory_order_relaxed));  // its only user here is this call
      error_.store(0, std::memory_order_relaxed);
    }
    try {
      begin();
      return true;
    } catch (const std::system_error& failure) {
      error_.store(failure.code().value(), std::memory_order_relaxed);
    } catch (const std::exception&) {
      error_.store(ENOMEM, std::memory_order_relaxed);
    }
    if (Engine* const here = engine_.load(std::memory_order_relaxed)) here->tell_late(error());
    return false;
  }

  /// nullptr in a forked child that has not begun, and while there is no memory for one.
  Engine* present() const noexcept { return engine_.load(std::memory_order_acquire); }
  /// The same, but a forked child begins.
  Engine* here() noexcept {
    (void)recorder_.begin_in_child();
    return present();
  }
  /// The same, which is waited for.
  Engine* here_by(Clock::time_point deadline) noexcept {
    for (;;) {
      if (Engine* const engine = here()) return engine;
      const Clock::time_point now = Clock::now();
      if (now >= deadline) return nullptr;
      std::this_thread::sleep_until(std::min(deadline, now + record::Recorder::retry_pause));
    }
  }

  /// Why it, or its thread, was missing when it last was; 0 if it never was in this process.
  int error() const noexcept { return error_.load(std::memory_order_relaxed); }

  /// Destroys it; in a forked child that never used this client it is the parent's. As destruction does.
  void end() noexcept {
    const NoCancellation meanwhile;
    if (recorder_.is_prepared()) {
      delete present();
    } else {
      const std::lock_guard lock{record::Registry::instance().mutex()};
      leave(present());
    }
    engine_.store(nullptr, std::memory_order_relaxed);  // nobody is left to load it
  }

 private:
  void begin() {
    Engine* engine = engine_.load(std::memory_order_relaxed);  // stored under this lock
    if (engine == nullptr) {
      engine = make_(true).release();
      engine->tell_late(error());  // 0 if this is the first try
      engine_.store(engine, std::memory_order_release);
    }
    if (own_thread_) engine->start();
  }

  // The parent's threads may have been in the middle of anything: it is not destroyed.
  static void leave(const Engine* engine) noexcept {
    if (engine == nullptr) return;
    engine->leave_to_parent();
    abandon(engine);
  }

  record::Recorder& recorder_;
  const Make make_;
  const bool own_thread_;
  std::atomic<int> error_{0};  // relaxed: all that is said
  // A forked child's first thread here replaces it; whoever loads it (acquire) finds the new one complete.
  std::atomic<Engine*> engine_{nullptr};
};

}  // namespace event_metrics::inline v0
