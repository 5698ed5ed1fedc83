// wire/tags.hpp - text from outside made into tag keys and values that an agent reads as they are meant.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "event_metrics/statsd/options.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0::wire {

/// `key` with every byte that `rules` does not allow as `_`. `tag_` is put before a key that does not begin with a
/// letter, or that the agent takes for itself.
std::string clean_key(std::string_view key, const AgentRules& rules);

/// `value` with every byte that `rules` does not allow as `_`.
std::string clean_value(std::string_view value, const AgentRules& rules);

/// `|#k:v,k2:v2`, all cleaned, as it stands at the end of a line; empty when there are no tags or the agent has none.
/// A tag with an empty value is only its key.
std::string tag_suffix(const AgentRules& rules, std::span<const statsd::Tag> tags);

}  // namespace event_metrics::inline v0::wire
