#include <event_metrics/statsd_event_metrics.hpp>

using namespace event_metrics;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog, .address = argc > 1 ? argv[1] : "udp://127.0.0.1:8125"}};
  metrics.record_delivery_success("https://hooks.example.com/T0/secret", 12ms);  // a duration measured by you
  DeliveryAttempt attempt{metrics, "https://hooks.example.com/T0/secret"};       // or measured by the guard
  attempt.failure(503);
  return metrics.flush(1s) ? 0 : 1;
}
