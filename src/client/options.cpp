#include "client/options.hpp"

#include <algorithm>
#include <chrono>

#include "base/quoted.hpp"
#include "base/refuse.hpp"
#include "transport/address.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0::statsd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_wait = std::chrono::seconds(60);
constexpr std::size_t most_memory = std::size_t{64} << 30U;  // reserved twice; far from what 32-bit indices reach
constexpr std::size_t usual_udp = 1432;  // what an Ethernet frame carries, with room for IPv6 and tunnels
constexpr std::size_t usual_unix = 8192;

std::string is_so_long(std::chrono::milliseconds::rep count, std::string_view unit) {
  return ("is " + std::to_string(count)).append(unit);
}

constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr bool is_prefix_byte(char c) noexcept {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

void check_agent(Agent agent) {
  if (wire::find_rules(agent) != nullptr) return;
  std::string advice = "write one of";
  for (const wire::AgentRules& rules : wire::all_rules()) advice.append(" Agent::").append(rules.name);
  const int number = static_cast<int>(agent);
  refuse("Options.agent", number == 0 ? "is not set" : "is " + std::to_string(number), advice);
}

void check_prefix(std::string_view prefix) {
  if (prefix.empty()) return;
  if (is_letter(prefix.front()) && std::ranges::all_of(prefix, is_prefix_byte)) return;
  refuse("Options.prefix", "is " + quoted(prefix), "write letters, digits, `_`, `.` and `-`, the first a letter");
}

void check_tags(const std::vector<Tag>& tags, const wire::AgentRules& rules) {
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string field = "Options.tags[" + std::to_string(i) + "]";
    if (tags[i].key.empty()) refuse(field + ".key", "is \"\"", "write at least one letter");
    if (tags[i].value.empty() && !rules.bare_tags) {
      refuse(field + ".value", "is \"\"",
             "write a value, in DD_TAGS if it comes from there: " + std::string(rules.name) + " has no bare tags");
    }
  }
}

void check_times(const Options& options) {
  if (options.flush_interval <= milliseconds(0) || options.flush_interval > longest_wait) {
    refuse("Options.flush_interval", is_so_long(options.flush_interval.count(), " ms"),
           "write a duration above 0 and at most 60 s");
  }
  if (options.close_timeout < milliseconds(0) || options.close_timeout > longest_wait) {
    refuse("Options.close_timeout", is_so_long(options.close_timeout.count(), " ms"), "write a duration of 0 to 60 s");
  }
  if (options.keep_for != std::chrono::seconds(0) &&
      (options.keep_for < std::chrono::seconds(0) || options.keep_for > std::chrono::hours(24) ||
       options.keep_for < 2 * options.flush_interval)) {  // last, as seconds may be too many to be milliseconds
    refuse("Options.keep_for", is_so_long(options.keep_for.count(), " s"),
           "write 0, which keeps what is unsent for ever, or at least two flush intervals and at most 86400 s");
  }
}

}  // namespace

std::string_view to_string(Agent agent) noexcept {
  const wire::AgentRules* const rules = wire::find_rules(agent);
  return rules != nullptr ? rules->name : "unknown";
}

std::optional<Agent> parse_agent(std::string_view name) noexcept {
  for (const wire::AgentRules& rules : wire::all_rules()) {
    if (rules.name == name) return rules.agent;
  }
  return std::nullopt;
}

void check(const Options& options) {
  check_agent(options.agent);
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  transport::parse_address(options.address);
  check_prefix(options.prefix);
  check_tags(options.tags, rules);
  check_times(options);
  if (options.client_telemetry && !rules.distribution) {
    refuse("Options.client_telemetry", "is true",
           "write false, or Agent::datadog: " + std::string(rules.name) + " has no use for it");
  }
  if (options.max_memory_bytes > most_memory) {
    refuse("Options.max_memory_bytes", "is " + std::to_string(options.max_memory_bytes),
           "write at most " + std::to_string(most_memory));
  }
  if (options.max_datagram_bytes > rules.max_datagram) {
    refuse("Options.max_datagram_bytes", "is " + std::to_string(options.max_datagram_bytes),
           "write at most " + std::to_string(rules.max_datagram) + ", the most that " + std::string(rules.name) +
               " reads, or 0");
  }
}

std::size_t datagram_limit(const Options& options) {
  if (options.max_datagram_bytes != 0) return options.max_datagram_bytes;
  const bool udp = transport::parse_address(options.address).kind == transport::Address::Kind::udp;
  return std::min(udp ? usual_udp : usual_unix, wire::rules_of(options.agent).max_datagram);
}

}  // namespace event_metrics::inline v0::statsd
