// A stranger's plugin.

#include "event_metrics/statsd_event_metrics.hpp"

extern "C" void plugin() {
  event_metrics::StatsdEventMetrics metrics{{.agent = event_metrics::statsd::Agent::datadog, .own_thread = false}};
  metrics.record_delivery_error("https://hooks.example.com/T0");
}
