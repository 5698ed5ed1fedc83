// Other libraries behind EventMetrics, each as its own documentation makes it fastest and as its users call it. They
// are compiled in where the Meson option `peers` names a folder that has them; docs/performance/README.md describes it.

#pragma once

#include <cstdint>
#include <memory>

#include "event_metrics/event_metrics.hpp"

namespace bench {

/// Batches of 1400 bytes, sent each second; three calls a success. To a socket that nobody reads.
std::unique_ptr<event_metrics::EventMetrics> make_cpp_statsd_client();
/// The same to a port of 127.0.0.1.
std::unique_ptr<event_metrics::EventMetrics> make_cpp_statsd_client_to(std::uint16_t port);

/// Buffered by 4096 bytes, as its own performance test has it. A process has one writer, which is never closed.
std::unique_ptr<event_metrics::EventMetrics> make_spectator_cpp();

/// The endpoint as an attribute of each call; collected each second by an exporter that drops what it is given.
std::unique_ptr<event_metrics::EventMetrics> make_opentelemetry_cpp();

/// bvar: Adder and LatencyRecorder, without endpoint.
std::unique_ptr<event_metrics::EventMetrics> make_brpc();

}  // namespace bench
