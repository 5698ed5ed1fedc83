// event_metrics/endpoint_label.hpp - how the backends tell endpoints apart.

#pragma once

#include <cstdint>  // std::uint8_t

#include "event_metrics/config.hpp"

namespace event_metrics::inline v0 {

/// What of an endpoint's URL becomes the tag or label `endpoint`.
enum class EndpointLabel : std::uint8_t {
  none,  ///< nothing: one series for all endpoints
  host,  ///< the host in lower case, with the port if it isn't the scheme's own; never user info, path or query
};

}  // namespace event_metrics::inline v0
