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
constexpr std::array<std::string_view, 1> gostatsd_takes = {"host"};

constexpr std::array<AgentRules, 11> table = {{
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
     .distribution = false,
     .rate_counts = true},

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
     .distribution = false,
     .rate_counts = true},

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
     .shuffle_timings = true,
     .max_datagram = 4095,
     .prometheus_names = false,
     .distribution = false,
     .longest_name = 100},

    // src/statsd.c: a line with tags is lost, a rate multiplies the timing's value, a signed gauge is a delta, and 4095
    // bytes are read. latency_counter_add ignores a timing of 0. A name is cut to the 127 bytes of a type instance, of
    // which a timing's `-percentile-99` takes its part.
    {.agent = Agent::collectd,
     .name = "collectd",
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

    // src/collectors/statsd.plugin/statsd.c: a name ends at `:`, `=` or `|`, none of which is in ours; of the tags only
    // units, name and family are looked at. Rates below 0.01 are read as 0.01, so that a line stands for 100 timings at
    // most, each kept as a sample of its own and all of them sorted. A signed gauge is a delta. 65,535 bytes are read.
    {.agent = Agent::netdata,
     .name = "netdata",
     .tags = false,
     .bare_tags = false,
     .key_marks = "_",
     .value_marks = "_",
     .utf8_values = false,
     .reserved_keys = {},
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 100,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false},

    // plugins/inputs/statsd/statsd.go, a copy of an old Telegraf: tags need parse_data_dog_tags, a bare one gets the
    // value "<empty>", and metric_type is its own; a signed gauge is a delta. CloudWatch takes ASCII only in a
    // dimension. The weight is 1/rate as a float, added to its bucket once whatever it is (seh1_distribution.go): as
    // with Datadog nothing but the rate's length limits it, and a whole rate makes it exact.
    {.agent = Agent::cloudwatch,
     .name = "cloudwatch",
     .tags = true,
     .bare_tags = false,
     .key_marks = "_.-",
     .value_marks = any_mark,
     .utf8_values = false,
     .reserved_keys = telegraf_takes,
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 1'000'000,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false},

    // src/sources/statsd/parser.rs: fields are read by position, tags third or behind the rate; a line that is no valid
    // UTF-8 is lost; a signed gauge is an increment. The weight is cut to 32 bits and kept as one number. `d` is read
    // too, but is no `ms`: its values would stay milliseconds where the others become seconds.
    {.agent = Agent::vector,
     .name = "vector",
     .tags = true,
     .bare_tags = true,
     .key_marks = "_.-",
     .value_marks = any_mark,
     .utf8_values = true,
     .reserved_keys = {},
     .reserved_start = "",
     .negative_gauge_is_delta = true,
     .timing_weight_max = 1'000'000,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false},

    // internal/lexer and pkg/statsd/parser.go: a signed gauge is set; a rate weighs the count of a timing and not its
    // sum, mean and percentiles; NUL ends a line, and no cleaned tag has one; a name that begins with `_` is lost, and
    // none of ours does. With ignore-host the tag `host` becomes the source. `d` is lost.
    {.agent = Agent::gostatsd,
     .name = "gostatsd",
     .tags = true,
     .bare_tags = true,
     .key_marks = "_.-",
     .value_marks = any_mark,
     .utf8_values = true,
     .reserved_keys = gostatsd_takes,
     .reserved_start = "",
     .negative_gauge_is_delta = false,
     .timing_weight_max = 1,
     .shuffle_timings = false,
     .max_datagram = largest_udp,
     .prometheus_names = false,
     .distribution = false,
     .rate_counts = true},
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
