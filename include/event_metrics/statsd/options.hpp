// event_metrics/statsd/options.hpp - how a StatsD client reaches its agent, and which agent that is.

#pragma once

#include <chrono>       // intervals
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint8_t
#include <functional>   // on_error
#include <optional>     // parse_agent
#include <string>       // address, prefix, tags
#include <string_view>  // names of agents
#include <vector>       // tags

#include "event_metrics/config.hpp"

namespace event_metrics::inline v0::statsd {

/// The program that reads the datagrams. Each reads its own dialect, and most misread another one's in silence.
enum class Agent : std::uint8_t {
  datadog = 1,      ///< Datadog agent
  telegraf,         ///< Telegraf, inputs.statsd with `datadog_extensions = true`
  statsd_exporter,  ///< Prometheus statsd_exporter
  etsy,             ///< etsy statsd: no tags
  graphite,         ///< etsy statsd in front of Graphite: tags
  plain,            ///< any receiver of the original protocol: no tags, no rates
  collectd,         ///< collectd: no tags, no rates. It drops timings of 0 ms
  netdata,          ///< Netdata: no tags
  cloudwatch,       ///< CloudWatch agent with `parse_data_dog_tags = true`
  vector,           ///< Vector, source `statsd` with `mode = "udp"`; its unix sockets are streams
  gostatsd,         ///< gostatsd: tags. A rate weighs a timing's count alone
};

/// The enumerator's name, "datadog" for example; "unknown" for a value that is none of them.
EVENT_METRICS_API std::string_view to_string(Agent agent) noexcept;

/// The agent with exactly this name; nothing for any other text.
EVENT_METRICS_API std::optional<Agent> parse_agent(std::string_view name) noexcept;

/// A tag on every line. The agent's rules decide which characters may stand in it; every other byte becomes `_`. A
/// key that does not begin with a letter, or that the agent takes for itself (`host`, `quantile`, `le` ...), gets
/// `tag_` put before it. An empty key is refused; an empty value is a bare tag, which Datadog, Vector
/// and gostatsd have; elsewhere it is refused.
struct Tag {
  std::string key;
  std::string value;
};

/// What a client is made with. Wrong values are refused by its constructor with std::invalid_argument, which names
/// the field, its value and what to write instead. Of a refused address the value is not repeated: it may hold a
/// secret.
struct Options {
  /// Required: the wrong dialect corrupts numbers silently, so there is no default.
  Agent agent = {};

  /// `udp://host:port`, host being a name, an IPv4 or a bracketed [IPv6] address and port 1 to 65535; or
  /// `unix:///path` (datagram socket, `unixgram://` too; no blank at the end). An agent that is absent or a name that
  /// does not resolve is no error here: it is tried again, counted in stats() and told to on_error. A name is looked up
  /// on a thread of its own, every minute and after errors, IPv4 before IPv6; where that fails the last address stays.
  std::string address = "udp://127.0.0.1:8125";

  /// Put before every key as it is, "shop." for example. Letters, digits, `_`, `.` and `-`, the first a letter;
  /// keys of more than 200 bytes are refused, for plain and collectd of more than 100.
  std::string prefix = {};

  /// On every line, where the agent has tags.
  std::vector<Tag> tags = {};

  /// How often what was recorded is sent: above 0, at most 60 s.
  std::chrono::milliseconds flush_interval{1000};

  /// The longest that destruction waits for what is still owed: 0 to 60 s; on_error comes on top.
  std::chrono::milliseconds close_timeout{250};

  /// How long what is unsent is kept; 0 keeps it for ever. Nothing older is sent; what is given up, and counted in
  /// stats() as expired, is at least half as old, less an interval. At least two intervals, at most a day.
  std::chrono::seconds keep_for{0};

  /// The largest datagram; 0 means 1432 for UDP (an Ethernet frame) and 8192 for unix sockets, less where the agent
  /// reads less. Refused above what the agent reads, and when one line would not fit.
  std::size_t max_datagram_bytes = 0;

  /// The most memory for cells, tables and ledger. Past it timings get coarse, while counts stay exact. Refused
  /// above 64 GiB, and when too small for the fixed part, which grows with max_endpoints.
  std::size_t max_memory_bytes = 64U << 20U;

  /// true: every 10 s the client tells of itself under the names that Datadog's own clients use
  /// (`datadog.dogstatsd.client.metrics`, `.packets_sent`, `.bytes_sent` and `.metric_dropped_on_receive`). Datadog
  /// only, refused elsewhere.
  bool client_telemetry = false;

  /// false: no thread is made and nothing is sent until poll() or flush() is called; call poll() at least every 10 s.
  bool own_thread = true;

  /// Told what goes wrong after construction, in one sentence, at most once a minute per cause. Called on the thread
  /// that flushes, with no lock held; what it throws is swallowed. Its time comes on top of close_timeout and of
  /// flush()'s timeout. It may call exit(), fork and crash (the process's own handler runs), but not destroy the
  /// client, wait for the thread that does, or call pthread_exit(). Empty: a line on standard error, as long as that is
  /// the file that it was when the client was made and cannot be read from, if it is a regular one; never a signal, and
  /// nothing where it takes no line at once.
  std::function<void(std::string_view)> on_error = {};
};

/// Options for Agent::datadog from the variables of Datadog's own clients. DD_DOGSTATSD_URL (`udp://`, `unix://` or
/// `unixgram://`) decides over DD_AGENT_HOST and DD_DOGSTATSD_PORT; DD_ENV, DD_SERVICE and DD_VERSION become the tags
/// env, service and version; DD_TAGS, `key:value` pairs, adds the rest: where it holds a comma they are parted by
/// commas and may hold blanks, else they are parted by blanks, and an empty one counts for nothing. An IPv6 address in
/// DD_AGENT_HOST needs no brackets, unless it ends in four digits that could be a port, as `::1:8125` does: that is
/// refused. An empty variable counts as unset. Throws std::invalid_argument naming the variable, never its value. Reads
/// the environment, so it may not run while another thread changes it.
/// Source: https://docs.datadoghq.com/developers/dogstatsd/ ("Client instantiation parameters")
EVENT_METRICS_API Options datadog_from_environment();

}  // namespace event_metrics::inline v0::statsd
