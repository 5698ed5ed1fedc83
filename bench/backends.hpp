// What is measured: this library, the floor below it and its alternatives, all behind EventMetrics. They are made in
// translation units of their own, so that no compiler learns which class stands behind the interface: it would call
// the class directly, which in a service it cannot.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"

namespace bench {

struct Backend {
  std::string name;
  std::function<std::unique_ptr<event_metrics::EventMetrics>()> make;
};

/// "none" (an empty call: the floor), "statsd", "statsd no label", and with prometheus-cpp "prometheus",
/// "prometheus-cpp" and "prometheus-cpp by host"; then the peers that were compiled in.
const std::vector<Backend>& backends();

/// The one with this name; throws std::invalid_argument when it was not compiled in.
const Backend& backend(std::string_view name);

/// Whether it was compiled in.
bool has_backend(std::string_view name);

/// To an agent on loopback that never reads. Nothing is waited for when the client ends and no error is told.
event_metrics::statsd::Options statsd_options();

std::unique_ptr<event_metrics::EventMetrics> make_statsd(event_metrics::statsd::Options options,
                                                         event_metrics::DeliveryOptions delivery = {});

/// "none", or "statsd" with room for a series of each of `endpoints` in each of eight threads.
Backend backend_for(std::string_view name, std::size_t endpoints);

/// "url read": looks at the first 40 bytes of each URL and keeps nothing. The floor of whatever tells endpoints apart.
Backend url_reader();

#ifdef EVENT_METRICS_BENCH_PROMETHEUS
/// The alternative: every call goes into objects of prometheus-cpp, without a label or with the host looked up as one.
std::unique_ptr<event_metrics::EventMetrics> make_prometheus_cpp();
std::unique_ptr<event_metrics::EventMetrics> make_prometheus_cpp_by_host();
#endif

/// What a backend does beside the calls: statsd flushes, for at most `timeout`, and of prometheus-cpp all is collected
/// as for a scrape. False for the others, of which nothing is asked.
bool flush(event_metrics::EventMetrics& metrics, std::chrono::milliseconds timeout);

}  // namespace bench
