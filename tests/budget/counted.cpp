// Compiled apart from all that implements the interface: no call is resolved before it is made.

#include "counted.hpp"

void counted_success(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries) {
  for (const Delivery& delivery : deliveries) metrics.record_delivery_success(delivery.url, delivery.duration);
}

void counted_failure(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries) {
  for (const Delivery& delivery : deliveries) metrics.record_delivery_failure(delivery.url, 503);
}

void counted_error(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries) {
  for (const Delivery& delivery : deliveries) metrics.record_delivery_error(delivery.url);
}

// A change for each delivery.
void counted_active_task(event_metrics::EventMetrics& metrics, std::span<const Delivery> deliveries) {
  for (std::size_t i = 0; i + 1 < deliveries.size(); i += 2) {
    metrics.increment_active_tasks();
    metrics.decrement_active_tasks();
  }
}

void end_of_measurement() { asm volatile(""); }
