// A stranger's program that has Prometheus.

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "event_metrics/prometheus_event_metrics.hpp"

int main() {
  const auto registry = std::make_shared<prometheus::Registry>();
  event_metrics::PrometheusEventMetrics metrics{registry};
  metrics.record_delivery_error("https://hooks.example.com/T0");
  metrics.update();
  const std::string page = prometheus::TextSerializer{}.Serialize(registry->Collect());
  if (page.find("notification_delivery_failures_total 1\n") == std::string::npos) return 1;

  // Thrown in the library, caught here.
  try {
    const event_metrics::PrometheusEventMetrics refused{registry};
  } catch (const std::invalid_argument& error) {
    std::puts(error.what());
    return 0;
  }
  return 2;
}
