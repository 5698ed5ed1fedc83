// A plugin that has the library linked in, as users do who install nothing.

#include <chrono>
#include <memory>

#include "event_metrics/statsd_event_metrics.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

std::unique_ptr<StatsdEventMetrics> metrics;

}  // namespace

extern "C" {
[[gnu::visibility("default")]] void plugin_open(const char* address) {
  metrics = std::make_unique<StatsdEventMetrics>(statsd::Options{.agent = statsd::Agent::datadog,
                                                                 .address = address,
                                                                 .flush_interval = 10ms,
                                                                 .close_timeout = 500ms,
                                                                 .on_error = [](std::string_view) {}});
}
[[gnu::visibility("default")]] void plugin_record() { metrics->record_delivery_success("https://a.io/", 12ms); }
[[gnu::visibility("default")]] bool plugin_flush() { return metrics->flush(10s); }
/// Never destroyed, and still there for who looks for leaks.
[[gnu::visibility("default")]] void plugin_abandon() {
  [[maybe_unused]] static const StatsdEventMetrics* volatile abandoned = nullptr;
  abandoned = metrics.release();
}
[[gnu::visibility("default")]] void plugin_close() { metrics.reset(); }
}
