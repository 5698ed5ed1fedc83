// delivery/delivery_keys.hpp - what the five delivery metrics are called on the wire.

#pragma once

#include <string>
#include <string_view>

#include "wire/agent_rules.hpp"
#include "wire/datagram.hpp"

namespace event_metrics::inline v0 {

struct DeliveryKeys {
  std::string attempts;
  std::string successes;
  std::string failures;
  std::string duration;
  std::string active_tasks;
  wire::Kind duration_kind;
};

/// The keys for an agent, each with `prefix` before it. `distribution` asks for Datadog's type `d` instead of `ms`.
DeliveryKeys delivery_keys(const wire::AgentRules& rules, std::string_view prefix, bool distribution);

}  // namespace event_metrics::inline v0
