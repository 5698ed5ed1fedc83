// wire/agent_rules.hpp - what each agent accepts, one row per agent; the only place that tells agents apart.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "event_metrics/statsd/options.hpp"

namespace event_metrics::inline v0::wire {

/// One agent's dialect. Letters and digits may stand in every key and value; everything else is listed.
struct AgentRules {
  statsd::Agent agent;
  std::string_view name;         ///< as in statsd::to_string
  bool tags;                     ///< reads `|#k:v,k:v` at the end of a line
  bool bare_tags;                ///< reads a tag that is a key without a value
  std::string_view key_marks;    ///< the punctuation that may stand in a tag's key
  std::string_view value_marks;  ///< the punctuation that may stand in a tag's value
  bool utf8_values;              ///< valid UTF-8 in a value stays; otherwise every byte above 0x7f is replaced
  std::span<const std::string_view> reserved_keys;
  std::string_view reserved_start;  ///< keys that begin so are reserved too; empty: none
  bool negative_gauge_is_delta;  ///< a signed gauge is added to the held one, so that -5 has to be said as 0, then -5
  std::uint64_t timing_weight_max;  ///< how many equal timings one line may stand for
  bool shuffle_timings;             ///< the order of an interval's timings bends its percentiles
  std::size_t max_datagram;         ///< what is longer is cut in silence
  bool prometheus_names;            ///< keys are the Prometheus names
  bool distribution;                ///< reads the type `d`
  bool rate_counts = false;         ///< where no line may stand for several: a rate still weighs a timing's count
  std::size_t longest_name = 200;   ///< of a key with its prefix; Datadog's limit, where the agent has none of its own
};

/// All rows, in the order of statsd::Agent.
std::span<const AgentRules> all_rules() noexcept;

/// The row of `agent`; nullptr when it is none of the enumerators.
const AgentRules* find_rules(statsd::Agent agent) noexcept;

/// The row of an agent that statsd::check has accepted.
const AgentRules& rules_of(statsd::Agent agent) noexcept;

}  // namespace event_metrics::inline v0::wire
