// delivery/delivery_keys.hpp - what the five delivery metrics are called on the wire.

#pragma once

#include <string_view>

#include "client/delivery_series.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0 {

/// The keys for an agent, each with `prefix` before it. `distribution` asks for Datadog's type `d` instead of `ms`.
DeliveryKeys delivery_keys(const wire::AgentRules& rules, std::string_view prefix, bool distribution);

/// The same for who shows the metrics to Prometheus itself.
DeliveryKeys prometheus_keys();

}  // namespace event_metrics::inline v0
