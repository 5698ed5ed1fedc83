// client/client.hpp - one client: what it was made with, and the engine that flushes its recorder in this process.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/listener.hpp"
#include "client/delivery_series.hpp"
#include "client/engine.hpp"
#include "client/per_process.hpp"
#include "client/row_labels.hpp"
#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd/stats.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0 {

class Client {
 public:
  /// Whoever counts with a client has checked all of it.
  struct Setup {
    statsd::Options options;
    Schema schema;
    bool by_endpoint;
    std::uint32_t max_endpoints;  ///< 1 if not by endpoint
  };

  /// What is left of the memory for the recorder. Throws std::bad_alloc.
  static record::Budget::Limits memory(const Setup& setup);
  /// Refuses a memory in which this recorder does not fit.
  static void check_memory(const Setup& setup, const record::Recorder::Limits& recorder);

  /// As StatsdEventMetrics, whose members these are. `recorder`, whose Reborn is begin_in_child(), and `labels` outlive
  /// the client. Refuses datagrams that are too short for this set-up.
  Client(Setup setup, record::Recorder& recorder, const RowLabels& labels);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// See record::Recorder::Reborn.
  bool begin_in_child(bool first) noexcept;

  bool flush(std::chrono::milliseconds timeout) noexcept;
  Engine::Clock::time_point poll() noexcept;
  statsd::Stats stats() noexcept;

 private:
  std::unique_ptr<Engine> new_engine(bool in_child);
  void add_shared(statsd::Stats& stats) noexcept;
  void tell_missing() noexcept;
  void tell(const char* what) noexcept;

  const Setup setup_;
  record::Recorder& recorder_;
  const RowLabels& labels_;
  const Listener listener_{setup_.options.on_error};
  std::atomic<Engine::Clock::time_point> quiet_until_{};  // relaxed: two who tell at once do no harm
  PerProcess<Engine> engine_;
};

}  // namespace event_metrics::inline v0
