#include "delivery/delivery_options.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/refuse.hpp"
#include "client/options.hpp"
#include "delivery/delivery_keys.hpp"
#include "delivery/endpoints.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0 {
namespace {

void check_prefix_length(const statsd::Options& options) {
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  const DeliveryKeys keys = delivery_keys(rules, "");
  const std::size_t most =
      rules.longest_name - std::max({keys.attempts.size(), keys.successes.size(), keys.failures.size(),
                                     keys.duration.size(), keys.active_tasks.size()});
  if (options.prefix.size() <= most) return;
  refuse("Options.prefix", "has " + std::to_string(options.prefix.size()) + " bytes",
         "write at most " + std::to_string(most) + ", since " + std::string{rules.name} + " reads names of " +
             std::to_string(rules.longest_name));
}

void check(const statsd::Options& options, const DeliveryOptions& delivery) {
  statsd::check(options);
  check_prefix_length(options);
  check_endpoints("DeliveryOptions", delivery.endpoint_label, delivery.max_endpoints);
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  if (delivery.distribution && !rules.distribution) {
    refuse("DeliveryOptions.distribution", "is true, which " + std::string{rules.name} + " does not read",
           "write false, or Agent::datadog");
  }
  const auto is_endpoint = [](const statsd::Tag& tag) { return tag.key == "endpoint"; };
  if (delivery.endpoint_label != EndpointLabel::none && rules.tags && std::ranges::any_of(options.tags, is_endpoint)) {
    refuse("Options.tags", "holds the key \"endpoint\", which is the endpoint's own",
           "write another key, in DD_TAGS if it comes from there, or EndpointLabel::none");
  }
}

}  // namespace

Client::Setup client_setup(statsd::Options options, const DeliveryOptions& delivery) {
  check(options, delivery);
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  const bool by_endpoint = delivery.endpoint_label == EndpointLabel::host && rules.tags;
  Schema schema = delivery_schema(delivery_keys(rules, options.prefix), delivery.distribution);
  return {.options = std::move(options),
          .schema = std::move(schema),
          .by_endpoint = by_endpoint,
          .max_endpoints = by_endpoint ? static_cast<std::uint32_t>(delivery.max_endpoints) : 1};
}

}  // namespace event_metrics::inline v0
