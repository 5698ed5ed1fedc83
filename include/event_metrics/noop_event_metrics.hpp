// event_metrics/noop_event_metrics.hpp - records nothing: for local development and for services without an agent.

#pragma once

#include <chrono>       // durations
#include <string_view>  // URLs

#include "event_metrics/event_metrics.hpp"

namespace event_metrics::inline v0 {

/// Does nothing. Called by its own type it costs nothing, because the calls are empty and inline.
/// Thread safety: safe. Never blocks, never allocates.
class NoOpEventMetrics final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view, std::chrono::nanoseconds) noexcept override {}
  void record_delivery_failure(std::string_view, int) noexcept override {}
  void record_delivery_error(std::string_view) noexcept override {}
  void increment_active_tasks() noexcept override {}
  void decrement_active_tasks() noexcept override {}
};

}  // namespace event_metrics::inline v0
