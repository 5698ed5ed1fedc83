#include "wire/agent_rules.hpp"

#include <array>

namespace event_metrics::inline v0::wire {
namespace {

using statsd::Agent;

// All printable punctuation but `,` and `|`, which end a tag in every dialect and cannot be escaped in any.
constexpr std::string_view any_mark = R"(!"#$%&'()*+-./:;<=>?@[\]^_`{}~)";

// What the IPv4 header leaves of 65,535 bytes.
constexpr std::size_t largest_udp = 65507;

constexpr std::array<std::string_view, 2> datadog_takes = {"host", "device"};
constexpr std::array<std::string_view, 2> telegraf_takes = {"host", "metric_type"};
constexpr std::array<std::string_view, 2> exporter_takes = {"quantile", "le"};
constexpr std::array<std::string_view, 1> graphite_takes = {"name"};

constexpr std::array<AgentRules, 6> table = {{
    // comp/dogstatsd/server/parse*.go and enrich.go: a gauge is set, whatever its sign; `host:` replaces the host and
    // `dd.internal.` is eaten; the read buffer (dogstatsd_buffer_size) has 8192 bytes. pkg/metrics/histogram.go and
    // pkg/quantile weigh by 1/rate at no cost per unit; 1,000,000 keeps the rate within 24 characters.
    {.agent = Agent::datadog,
     .name = "datadog",
     .tags = true,
     .bare_tags = true,
     .key_marks = "_.-/",
     .value_marks = any_mark,
     .utf8_values = true,
     .reserved_keys = datadog_takes,
     .reserved_start = "dd.internal.",
     .negative_gauge_is_delta = false,
     .timing_weight_max = 1'000'000,
     .shuffle_timings = false,
     .max_datagram = 8192,
     .prometheus_names = false,
     .distribution = true},

    // plugins/inputs/statsd: tags need datadog_extensions, whose reader (datadog.go) cuts a last multi-byte character
    // in two and gives a bare tag the value "true"; metric_type is its own tag. A weighted timing is kept as one sample
    // per unit, of which only the first percentile_limit (1000) stay for certain, so that larger weights would bend
    // the percentiles.
    {.agent = Agent::telegraf,
     .name = "telegraf",
     .tags = true,
     .bare_tags = false,
     .key_marks = "_.-",
     .value_marks = any_mark,
     .utf8_values = false,
     .reserved_keys = telegraf_takes,
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 10,
     .shuffle_timings = true,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false},

    // pkg/line/line.go: a line that is no valid UTF-8 is lost, a signed gauge is a delta, and a weight is that many
    // Observe calls. pkg/mapper/escape.go: keys become [A-Za-z0-9_]. The label `quantile` (summaries) or `le`
    // (histograms) ends the process; `__…` breaks every scrape, but no cleaned key begins with `_`.
    {.agent = Agent::statsd_exporter,
     .name = "statsd_exporter",
     .tags = true,
     .bare_tags = false,
     .key_marks = "_",
     .value_marks = any_mark,
     .utf8_values = true,
     .reserved_keys = exporter_takes,
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 1'000,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = true,
     .distribution = false},

    // stats.js: the count of a timing is weighted by its rate, while its sum, mean and percentiles are not. Tags would
    // become part of the key, which most backends take for a name.
    {.agent = Agent::etsy,
     .name = "etsy",
     .tags = false,
     .bare_tags = false,
     .key_marks = "_",
     .value_marks = "_",
     .utf8_values = false,
     .reserved_keys = {},
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 1,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false},

    // As etsy, whose `sanitizeKeyName` removes all but [a-zA-Z0-9_.;=-] and makes `-` of `/`: two values that differ in
    // what it removes would become one. carbon (TaggedSeries.parse_carbon) rejects an empty value, one that begins
    // with `~`, and `;` anywhere; it overwrites the tag `name`.
    {.agent = Agent::graphite,
     .name = "graphite",
     .tags = true,
     .bare_tags = false,
     .key_marks = "_.-",
     .value_marks = "_.-",
     .utf8_values = false,
     .reserved_keys = graphite_takes,
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 1,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false},

    // What every receiver of the original protocol reads. collectd (src/statsd.c) sets the limits: no tags, a rate
    // multiplies the timing's value, 4095 bytes are read, and a name is cut to 127 with the suffix that it adds.
    {.agent = Agent::plain,
     .name = "plain",
     .tags = false,
     .bare_tags = false,
     .key_marks = "_",
     .value_marks = "_",
     .utf8_values = false,
     .reserved_keys = {},
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 1,
     .shuffle_timings = false,
     .max_datagram = 4095,
     .prometheus_names = false,
     .distribution = false,
     .longest_name = 100},
}};

}  // namespace

std::span<const AgentRules> all_rules() noexcept { return table; }

const AgentRules* find_rules(statsd::Agent agent) noexcept {
  for (const AgentRules& row : table) {
    if (row.agent == agent) return &row;
  }
  return nullptr;
}

const AgentRules& rules_of(statsd::Agent agent) noexcept { return *find_rules(agent); }

}  // namespace event_metrics::inline v0::wire
