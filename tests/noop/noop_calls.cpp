#include "event_metrics/noop_event_metrics.hpp"

extern "C" void noop_calls(event_metrics::NoOpEventMetrics& metrics) {
  metrics.increment_active_tasks();
  metrics.record_delivery_success("https://hooks.example.com/T0", std::chrono::milliseconds{12});
  metrics.record_delivery_failure("https://hooks.example.com/T0", 503);
  metrics.record_delivery_error("https://hooks.example.com/T0");
  metrics.decrement_active_tasks();
}
