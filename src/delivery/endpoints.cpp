#include "delivery/endpoints.hpp"

#include "base/refuse.hpp"
#include "record/ring.hpp"
#include "wire/agent_rules.hpp"
#include "wire/tags.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr std::size_t most_endpoints = 100'000;
static_assert(2 + most_endpoints <= record::most_rows);  // `other` and `invalid` are rows too

}  // namespace

void check_endpoints(std::string_view options, EndpointLabel label, std::size_t max_endpoints) {
  if (label != EndpointLabel::none && label != EndpointLabel::host) {
    refuse(std::string{options} + ".endpoint_label", "is no label", "write EndpointLabel::none or ::host");
  }
  if (max_endpoints < 1 || max_endpoints > most_endpoints) {
    refuse(std::string{options} + ".max_endpoints", "is " + std::to_string(max_endpoints),
           "write a number from 1 to " + std::to_string(most_endpoints));
  }
}

// statsd_exporter makes labels of Prometheus too: what may stand in one is said there.
std::string prometheus_label(std::string_view label) {
  return wire::clean_value(label, wire::rules_of(statsd::Agent::statsd_exporter));
}

}  // namespace event_metrics::inline v0
