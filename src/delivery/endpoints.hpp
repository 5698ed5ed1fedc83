// delivery/endpoints.hpp - the options about endpoints that all backends share.

#pragma once

#include <cstddef>
#include <string_view>

#include "event_metrics/endpoint_label.hpp"

namespace event_metrics::inline v0 {

/// Throws std::invalid_argument that names the field of `options`, its value and what to write instead.
void check_endpoints(std::string_view options, EndpointLabel label, std::size_t max_endpoints);

}  // namespace event_metrics::inline v0
