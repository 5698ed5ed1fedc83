// client/client_telemetry.hpp - what a client tells of itself, under the names that Datadog's own clients use.
//
// Source: datadog-go, statsd/telemetry.go. What those drop when a queue is full, this library keeps; only what it gave
// up on purpose counts as dropped.

#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "event_metrics/statsd/options.hpp"
#include "ledger/ledger.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0 {

/// By the number that ledger::Ledger::record_telemetry() takes.
inline constexpr std::array<std::string_view, ledger::telemetry_count> telemetry_keys = {
    "datadog.dogstatsd.client.metrics", "datadog.dogstatsd.client.packets_sent", "datadog.dogstatsd.client.bytes_sent",
    "datadog.dogstatsd.client.metric_dropped_on_receive"};

inline constexpr std::chrono::seconds telemetry_interval{10};

/// The tags of these lines, as they stand at their end; empty when the options ask for none.
std::string telemetry_suffix(const wire::AgentRules& rules, const statsd::Options& options);

}  // namespace event_metrics::inline v0
