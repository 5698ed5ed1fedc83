#include "client/client_telemetry.hpp"

#include <vector>

#include "event_metrics/config.hpp"
#include "wire/tags.hpp"

namespace event_metrics::inline v0 {

std::string telemetry_suffix(const wire::AgentRules& rules, const statsd::Options& options) {
  if (!options.client_telemetry) return {};
  std::vector<statsd::Tag> tags = options.tags;
  tags.push_back({"client", "cpp"});
  tags.push_back({"client_version", EVENT_METRICS_VERSION_STRING});
  tags.push_back({"client_transport", options.address.starts_with("udp") ? "udp" : "uds"});
  return wire::tag_suffix(rules, tags);
}

}  // namespace event_metrics::inline v0
