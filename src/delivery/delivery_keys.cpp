#include "delivery/delivery_keys.hpp"

#include <utility>

namespace event_metrics::inline v0 {
namespace {

// Durations are milliseconds under both names: statsd_exporter divides every `ms` by 1000.
struct Names {
  std::string_view statsd;
  std::string_view prometheus;
};
constexpr Names attempts = {"notification.delivery.attempts", "notification_delivery_attempts_total"};
constexpr Names successes = {"notification.delivery.successes", "notification_delivery_successes_total"};
constexpr Names failures = {"notification.delivery.failures", "notification_delivery_failures_total"};
constexpr Names duration = {"notification.delivery.duration", "notification_delivery_duration_seconds"};
constexpr Names active_tasks = {"notification.active_tasks", "notification_active_tasks"};

}  // namespace

DeliveryKeys delivery_keys(const wire::AgentRules& rules, std::string_view prefix) {
  const auto key = [&](const Names& names) {
    return std::string(prefix).append(rules.prometheus_names ? names.prometheus : names.statsd);
  };
  return {.attempts = key(attempts),
          .successes = key(successes),
          .failures = key(failures),
          .duration = key(duration),
          .active_tasks = key(active_tasks)};
}

Schema delivery_schema(DeliveryKeys keys, bool distribution) {
  return {.counters = {{std::move(keys.attempts), Schema::Counts::both},
                       {std::move(keys.successes), Schema::Counts::observed},
                       {std::move(keys.failures), Schema::Counts::tallied}},
          .observed = std::move(keys.duration),
          .observed_kind = distribution ? wire::Kind::distribution : wire::Kind::timing,
          .level = std::move(keys.active_tasks)};
}

DeliveryKeys prometheus_keys() { return delivery_keys(wire::rules_of(statsd::Agent::statsd_exporter), ""); }

}  // namespace event_metrics::inline v0
