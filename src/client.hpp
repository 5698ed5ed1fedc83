// client.hpp - one client: its recorder, and the engine that flushes it in this process.

#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "engine.hpp"
#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd/stats.hpp"
#include "event_metrics/statsd_event_metrics.hpp"
#include "listener.hpp"
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
  statsd::Stats stats() const noexcept;

 private:
  std::unique_ptr<Engine> new_engine(bool in_child);
  void begin_in_child() noexcept;
  /// The engine of this process: in a forked child one of its own. nullptr when there was no memory for that.
  Engine* engine() noexcept;

  record::Recorder recorder_;  // first: a call has its address without an addition
  const statsd::Options options_;
  const DeliveryOptions delivery_;
  const Listener listener_{options_.on_error};
  // A forked child's first thread here replaces it; whoever loads it (acquire) finds the new one complete.
  std::atomic<Engine*> engine_{nullptr};
};

}  // namespace event_metrics::inline v0
