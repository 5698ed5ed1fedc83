// budget/counted.hpp - the functions whose instructions are counted, known to Callgrind by their names.

#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "event_metrics/event_metrics.hpp"

struct Delivery {
  std::string_view url;
  std::chrono::nanoseconds duration;
};

extern "C" {
void counted_success(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries);
void counted_failure(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries);
void counted_error(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries);
void counted_active_task(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries);

/// What has been counted since the last time belongs to one measurement.
void end_of_measurement();
}
