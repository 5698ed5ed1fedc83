// delivery/delivery_options.hpp - what StatsdEventMetrics is made with: checked, and as its client needs it.

#pragma once

#include "client/client.hpp"
#include "event_metrics/statsd/options.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

namespace event_metrics::inline v0 {

/// Throws std::invalid_argument with one sentence about the first fault; those of `options` alone come first.
Client::Setup client_setup(statsd::Options options, const DeliveryOptions& delivery);

}  // namespace event_metrics::inline v0
