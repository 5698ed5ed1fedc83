// client/client.hpp - one client: its recorder, and the engine that flushes it in this process.

#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "base/listener.hpp"
#include "client/engine.hpp"
#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd/stats.hpp"
#include "event_metrics/statsd_event_metrics.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0 {

class Client {
 public:
  /// As StatsdEventMetrics, whose members these are.
  Client(statsd::Options options, const DeliveryOptions& delivery);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  record::Recorder& recorder() noexcept { return recorder_; }

  bool flush(std::chrono::milliseconds timeout) noexcept;
  Engine::Clock::time_point poll() noexcept;
  statsd::Stats stats() noexcept;

 private:
  std::unique_ptr<Engine> new_engine(bool in_child);
  bool begin_in_child(bool first) noexcept;
  void begin_engine();
  /// The engine of this process: in a forked child one of its own. nullptr while there is no memory for that.
  Engine* engine() noexcept;
  /// The same, which is waited for.
  Engine* engine_by(Engine::Clock::time_point deadline) noexcept;
  void add_shared(statsd::Stats& stats) noexcept;
  void tell_missing() noexcept;
  void tell(const char* what) noexcept;

  record::Recorder recorder_;  // first: a call has its address without an addition
  const statsd::Options options_;
  const DeliveryOptions delivery_;
  const Listener listener_{options_.on_error};
  // A forked child's first thread here replaces it; whoever loads it (acquire) finds the new one complete.
  std::atomic<Engine*> engine_{nullptr};
  std::atomic<int> begin_error_{0};                       // why it or its thread was missing; relaxed, as the next
  std::atomic<Engine::Clock::time_point> quiet_until_{};  // two who tell at once do no harm
};

}  // namespace event_metrics::inline v0
