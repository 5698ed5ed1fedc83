// endpoints.hpp - the rules for endpoints that all backends share: how many are told apart, and by which label.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "event_metrics/endpoint_label.hpp"
#include "record/host_key.hpp"

namespace event_metrics::inline v0 {

/// Throws std::invalid_argument that names the field of `options`, its value and what to write instead.
void check_endpoints(std::string_view options, EndpointLabel label, std::size_t max_endpoints);

/// The label of the endpoint with this key: wire::endpoint_label() with the port that the scheme implies.
std::string endpoint_label(const record::HostKey& key);

}  // namespace event_metrics::inline v0
