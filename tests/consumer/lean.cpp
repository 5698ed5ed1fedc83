// A stranger's program that is compiled without exceptions and without RTTI; the library throws nothing into it.

#include <chrono>
#include <string_view>

#include "event_metrics/mock_event_metrics.hpp"
#include "event_metrics/noop_event_metrics.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "not what this is about"
#endif

namespace {

class Tally final : public event_metrics::EventMetrics {
 public:
  void record_delivery_success(std::string_view, std::chrono::nanoseconds) noexcept override { ++deliveries; }
  void record_delivery_failure(std::string_view, int) noexcept override { ++deliveries; }
  void record_delivery_error(std::string_view) noexcept override { ++deliveries; }
  void increment_active_tasks() noexcept override {}
  void decrement_active_tasks() noexcept override {}

  int deliveries = 0;
};

void deliver(event_metrics::EventMetrics& metrics) {
  const event_metrics::ActiveTask task{metrics};
  event_metrics::DeliveryAttempt attempt{metrics, "https://hooks.example.com/T0"};
  attempt.failure(503);
}

}  // namespace

int main() {
  Tally tally;
  deliver(tally);
  event_metrics::NoOpEventMetrics noop;
  deliver(noop);
  event_metrics::MockEventMetrics mock;
  deliver(mock);
  if (tally.deliveries != 1 || mock.failure_count() != 1 || mock.calls().size() != 3) return 1;

  event_metrics::StatsdEventMetrics statsd{{.agent = event_metrics::statsd::Agent::datadog, .own_thread = false}};
  deliver(statsd);
  (void)statsd.flush(std::chrono::milliseconds{100});
  return statsd.stats().recorded == 1 ? 0 : 2;
}
