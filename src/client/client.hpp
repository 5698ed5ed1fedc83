// client/client.hpp - one client: its recorder, and the engine that flushes it in this process.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/listener.hpp"
#include "client/delivery_series.hpp"
#include "client/engine.hpp"
#include "client/per_process.hpp"
#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd/stats.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0 {

class Client {
 public:
  /// Whoever counts with a client has checked all of it.
  struct Setup {
    statsd::Options options;
    DeliveryKeys keys;
    bool by_endpoint;
    std::uint32_t max_endpoints;  ///< 1 if not by endpoint
  };

  /// As StatsdEventMetrics, whose members these are. Refuses what is too little for this set-up: memory, or a datagram.
  explicit Client(Setup setup);
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
  void add_shared(statsd::Stats& stats) noexcept;
  void tell_missing() noexcept;
  void tell(const char* what) noexcept;

  record::Recorder recorder_;  // first: a call has its address without an addition
  const Setup setup_;
  const Listener listener_{setup_.options.on_error};
  std::atomic<Engine::Clock::time_point> quiet_until_{};  // relaxed: two who tell at once do no harm
  PerProcess<Engine> engine_;
};

}  // namespace event_metrics::inline v0
