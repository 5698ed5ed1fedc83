// A stranger's program: every public header, every backend.

#include <cstdio>
#include <stdexcept>

#include "event_metrics/mock_event_metrics.hpp"
#include "event_metrics/noop_event_metrics.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

namespace {

void deliver(event_metrics::EventMetrics& metrics) {
  const event_metrics::ActiveTask task{metrics};
  event_metrics::DeliveryAttempt attempt{metrics, "https://hooks.example.com/T0"};
  attempt.success();
}

}  // namespace

int main() {
  event_metrics::NoOpEventMetrics noop;
  deliver(noop);

  event_metrics::MockEventMetrics mock;
  deliver(mock);
  if (mock.success_count() != 1 || mock.active_task_count() != 0) return 1;

  event_metrics::StatsdEventMetrics statsd{{.agent = event_metrics::statsd::Agent::datadog, .own_thread = false}};
  deliver(statsd);

  // Thrown in the library, caught here: the two agree on exceptions and on std::string.
  try {
    const event_metrics::StatsdEventMetrics refused{{.agent = event_metrics::statsd::Agent::datadog, .address = "x"}};
  } catch (const std::invalid_argument& error) {
    std::puts(error.what());
    return 0;
  }
  return 2;
}
