// delivery/endpoints.hpp - what all backends share about endpoints: their options, and their labels for Prometheus.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "event_metrics/endpoint_label.hpp"

namespace event_metrics::inline v0 {

/// Throws std::invalid_argument that names the field of `options`, its value and what to write instead.
void check_endpoints(std::string_view options, EndpointLabel label, std::size_t max_endpoints);

/// An endpoint's label as it may stand in one of Prometheus.
std::string prometheus_label(std::string_view label);

}  // namespace event_metrics::inline v0
