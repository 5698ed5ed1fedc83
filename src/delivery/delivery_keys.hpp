// delivery/delivery_keys.hpp - what the five delivery metrics are called on the wire.

#pragma once

#include <string>
#include <string_view>

#include "client/schema.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0 {

struct DeliveryKeys {
  std::string attempts;
  std::string successes;
  std::string failures;
  std::string duration;
  std::string active_tasks;
};

/// The keys for an agent, each with `prefix` before it.
DeliveryKeys delivery_keys(const wire::AgentRules& rules, std::string_view prefix);

/// What a success observes is its duration, and the tally counts failures. `distribution` asks for Datadog's type `d`
/// instead of `ms`.
Schema delivery_schema(DeliveryKeys keys, bool distribution);

/// The same for who shows the metrics to Prometheus itself.
DeliveryKeys prometheus_keys();

}  // namespace event_metrics::inline v0
