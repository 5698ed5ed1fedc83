#include "demo/receiver.hpp"

#include <algorithm>     // std::find_if
#include <array>         // the metrics
#include <charconv>      // numbers
#include <cstdint>       // numbers
#include <optional>      // fields that may be missing
#include <stdexcept>     // std::runtime_error
#include <string>        // reasons
#include <system_error>  // std::errc
#include <variant>       // lines

#include "statsd_line.hpp"

namespace demo {
namespace {

using event_metrics::statsd::Agent;
using statsd_line::Line;

enum class Meaning : std::uint8_t { attempts, successes, failures, duration, active_tasks };

struct Metric {
  Meaning meaning;
  std::string_view statsd_name;
  std::string_view prometheus_name;
  std::string_view type;
};

constexpr std::array<Metric, 5> metrics{{
    {Meaning::attempts, "notification.delivery.attempts", "notification_delivery_attempts_total", "c"},
    {Meaning::successes, "notification.delivery.successes", "notification_delivery_successes_total", "c"},
    {Meaning::failures, "notification.delivery.failures", "notification_delivery_failures_total", "c"},
    {Meaning::duration, "notification.delivery.duration", "notification_delivery_duration_seconds", "ms"},
    {Meaning::active_tasks, "notification.active_tasks", "notification_active_tasks", "g"},
}};

[[noreturn]] void refuse(const std::string& reason) { throw std::runtime_error{reason}; }

std::int64_t whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) refuse("the value is no whole number");
  return number;
}

std::uint64_t natural_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) refuse("the value has a sign");
  return static_cast<std::uint64_t>(whole_number(text));
}

/// The value of the tag `endpoint`, if there is one.
std::optional<std::string> endpoint_of(const Line& line) {
  std::optional<std::string> endpoint;
  for (const statsd_line::Tag& tag : line.tags) {
    if (tag.value.empty()) refuse("a tag has no value");
    if (tag.key == "endpoint") endpoint = tag.value;
  }
  return endpoint;
}

const Metric& metric_of(const Line& line, const Dialect& dialect) {
  const auto* metric = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& candidate) {
    return line.name == (dialect.speaks_prometheus ? candidate.prometheus_name : candidate.statsd_name);
  });
  if (metric == metrics.end()) refuse("the name is unknown");
  if (line.type != metric->type) refuse("the type is wrong for this name");
  return *metric;
}

}  // namespace

Dialect dialect_of(Agent agent) {
  constexpr std::uint64_t any_weight = UINT64_MAX;
  switch (agent) {
    case Agent::datadog:
      return {.has_tags = true, .most_weight = any_weight, .sets_signed_gauges = true};
    case Agent::telegraf:
    case Agent::cloudwatch:
    case Agent::vector:
      return {.has_tags = true, .most_weight = any_weight, .sets_signed_gauges = false};
    case Agent::statsd_exporter:
      return {.has_tags = true, .most_weight = any_weight, .sets_signed_gauges = false, .speaks_prometheus = true};
    case Agent::graphite:
      return {.has_tags = true, .most_weight = 1, .sets_signed_gauges = false};
    case Agent::gostatsd:
      return {.has_tags = true, .most_weight = 1, .sets_signed_gauges = true};
    case Agent::netdata:
      return {.has_tags = false, .most_weight = 100, .sets_signed_gauges = false};
    case Agent::collectd:
      return {.has_tags = false, .most_weight = 1, .sets_signed_gauges = false, .drops_zero_timings = true};
    case Agent::etsy:
    case Agent::plain:
      break;
  }
  return {.has_tags = false, .most_weight = 1, .sets_signed_gauges = false};
}

void Receiver::read(std::string_view datagram) {
  while (!datagram.empty()) {
    const std::string_view line = statsd_line::next_line(datagram);
    try {
      count(line);
    } catch (const std::runtime_error& reason) {
      counts_.refused.push_back(std::string{reason.what()} + ": " + std::string{line});
    }
  }
}

void Receiver::count(std::string_view text) {
  const statsd_line::Result result = statsd_line::parse(text);
  if (const auto* wrong = std::get_if<statsd_line::Malformed>(&result)) {
    refuse(wrong->reason + " (column " + std::to_string(wrong->column) + ")");
  }
  const auto& line = std::get<Line>(result);
  const Metric& metric = metric_of(line, dialect_);
  if (line.rate && !(metric.meaning == Meaning::duration && dialect_.most_weight > 1)) refuse("a rate is misread here");
  if (!line.tags.empty() && !dialect_.has_tags) refuse("this agent has no tags");
  const std::optional<std::string> label = endpoint_of(line);

  if (metric.meaning == Meaning::active_tasks) {
    if (label) refuse("active tasks belong to no endpoint");
    const bool is_change = !dialect_.sets_signed_gauges && (line.value.starts_with('-') || line.value.starts_with('+'));
    counts_.active_tasks = whole_number(line.value) + (is_change ? counts_.active_tasks.value_or(0) : 0);
    return;
  }

  if (dialect_.has_tags && !label) refuse("the tag endpoint is missing");
  const std::uint64_t value = natural_number(line.value);
  const std::uint64_t weight = line.weight();
  if (weight > dialect_.most_weight) refuse("the rate is below what this agent reads");
  if (metric.meaning == Meaning::duration && value == 0 && dialect_.drops_zero_timings) {
    refuse("this agent drops a timing of 0 ms");
  }
  EndpointCounts& endpoint = counts_.endpoints[label.value_or("")];
  switch (metric.meaning) {
    case Meaning::attempts:
      endpoint.attempts += value;
      break;
    case Meaning::successes:
      endpoint.successes += value;
      break;
    case Meaning::failures:
      endpoint.failures += value;
      break;
    case Meaning::duration:
      endpoint.latencies[value] += weight;
      break;
    case Meaning::active_tasks:
      break;
  }
}

}  // namespace demo
