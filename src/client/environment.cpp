#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/refuse.hpp"
#include "event_metrics/statsd/options.hpp"
#include "transport/address.hpp"

namespace event_metrics::inline v0::statsd {
namespace {

constexpr std::string_view usual_port = "8125";

// No refusal repeats what is read: it may hold a secret, the more so where it is wrong.
std::string_view read(const char* variable) {
  const char* const value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): the header says so
  return value != nullptr ? value : std::string_view();
}

// Datadog's clients let the port of a UDP address away.
std::string address_from_url(std::string_view url) {
  constexpr std::string_view udp = "udp://";
  std::string address(url);
  if (url.starts_with(udp) && url.size() > udp.size()) {
    const std::string_view host = url.substr(udp.size());
    const bool has_port = host.starts_with('[') ? !host.ends_with(']') : host.find(':') != std::string_view::npos;
    if (!has_port) address.append(":").append(usual_port);
  }
  transport::parse_address(address, "DD_DOGSTATSD_URL");
  return address;
}

bool is_host(std::string_view text) {
  try {
    transport::parse_address("udp://" + std::string(text) + ":1");
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

std::string in_brackets(std::string_view text) { return "[" + std::string(text) + "]"; }

// `::1:8125` is an address of IPv6, though hardly ever the one that was meant.
bool may_end_in_port(std::string_view ipv6) {
  const std::size_t colon = ipv6.rfind(':');
  const std::string_view last = ipv6.substr(colon + 1);
  const bool four_digits = last.size() == 4 && last.find_first_not_of("0123456789") == std::string_view::npos;
  return four_digits && is_host(in_brackets(ipv6.substr(0, colon)));
}

std::string host_from_environment() {
  const std::string_view value = read("DD_AGENT_HOST");
  if (value.empty()) return "127.0.0.1";
  const bool bare_ipv6 = !value.starts_with('[') && std::ranges::count(value, ':') > 1;
  if (bare_ipv6 && may_end_in_port(value)) {
    refuse("DD_AGENT_HOST", "may be an IPv6 address, or one and a port",
           "write the address in brackets, as in [::1]; a port goes into DD_DOGSTATSD_PORT");
  }
  std::string host = bare_ipv6 ? in_brackets(value) : std::string(value);
  if (!is_host(host)) {
    refuse("DD_AGENT_HOST", "is no host", "write a host name or an IP address; a port goes into DD_DOGSTATSD_PORT");
  }
  return host;
}

std::string address_from_host_and_port() {
  const std::string_view port = read("DD_DOGSTATSD_PORT");
  std::string address = "udp://" + host_from_environment();
  address.append(":").append(port.empty() ? usual_port : port);
  try {
    transport::parse_address(address);
  } catch (const std::invalid_argument&) {
    refuse("DD_DOGSTATSD_PORT", "is no port", "write one from 1 to 65535");
  }
  return address;
}

std::vector<Tag> unified_tags() {
  struct Unified {
    const char* variable;
    const char* key;
  };
  constexpr std::array<Unified, 3> all = {{{"DD_ENV", "env"}, {"DD_SERVICE", "service"}, {"DD_VERSION", "version"}}};
  std::vector<Tag> tags;
  for (const Unified& one : all) {
    const std::string_view value = read(one.variable);
    if (!value.empty()) tags.push_back({one.key, std::string(value)});
  }
  return tags;
}

constexpr std::string_view blanks = " \t\r\n\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

Tag tag_of(std::string_view item) {
  const std::size_t colon = std::min(item.find(':'), item.size());
  const std::string_view value = item.substr(std::min(colon + 1, item.size()));
  return {std::string(trimmed(item.substr(0, colon))), std::string(trimmed(value))};
}

// Parted by commas, or by blanks where there is none: DD_TAGS is read so by Datadog's tracers and agent.
std::vector<std::string_view> items_of(std::string_view list) {
  const std::string_view separators = list.find(',') != std::string_view::npos ? "," : blanks;
  std::vector<std::string_view> items;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find_first_of(separators));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    if (!trimmed(item).empty()) items.push_back(item);
  }
  return items;
}

std::vector<Tag> tags_from_environment() {
  const std::vector<Tag> unified = unified_tags();
  std::vector<Tag> tags = unified;
  for (const std::string_view item : items_of(read("DD_TAGS"))) {
    Tag tag = tag_of(item);
    if (tag.key.empty()) {
      refuse("DD_TAGS", "holds a tag without a key", "write key:value pairs parted by commas, or by blanks alone");
    }
    const bool set_by_name = std::ranges::any_of(unified, [&](const Tag& other) { return other.key == tag.key; });
    if (!set_by_name) tags.push_back(std::move(tag));
  }
  return tags;
}

}  // namespace

Options datadog_from_environment() {
  const std::string_view url = read("DD_DOGSTATSD_URL");
  return {.agent = Agent::datadog,
          .address = url.empty() ? address_from_host_and_port() : address_from_url(url),
          .tags = tags_from_environment()};
}

}  // namespace event_metrics::inline v0::statsd
