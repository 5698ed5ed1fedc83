#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event_metrics/statsd/options.hpp"
#include "quoted.hpp"
#include "transport/address.hpp"

namespace event_metrics::inline v0::statsd {
namespace {

constexpr std::string_view usual_port = "8125";

[[noreturn]] void refuse(std::string_view variable, std::string_view value, std::string_view advice) {
  std::string message(variable);
  message.append(" is ").append(quoted(value)).append(": ").append(advice);
  throw std::invalid_argument(message);
}

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

std::string address_from_host_and_port() {
  const std::string_view host = read("DD_AGENT_HOST");
  const std::string_view port = read("DD_DOGSTATSD_PORT");
  std::string start = "udp://";
  if (host.empty()) {
    start += "127.0.0.1";
  } else if (!host.starts_with('[') && std::ranges::count(host, ':') > 1) {
    start.append("[").append(host).append("]");
  } else {
    start += host;
  }
  try {
    transport::parse_address(start + ":1");
  } catch (const std::invalid_argument&) {
    refuse("DD_AGENT_HOST", host, "write a host name or an IP address; a port goes into DD_DOGSTATSD_PORT");
  }
  std::string address = start.append(":").append(port.empty() ? usual_port : port);
  try {
    transport::parse_address(address);
  } catch (const std::invalid_argument&) {
    refuse("DD_DOGSTATSD_PORT", port, "write a port from 1 to 65535");
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

Tag tag_of(std::string_view item) {
  const std::size_t colon = item.find(':');
  if (colon == std::string_view::npos) return {std::string(item), ""};
  return {std::string(item.substr(0, colon)), std::string(item.substr(colon + 1))};
}

std::vector<Tag> tags_from_environment() {
  const std::vector<Tag> unified = unified_tags();
  std::vector<Tag> tags = unified;
  const std::string_view list = read("DD_TAGS");
  constexpr std::string_view separators = ", \t\r\n";
  for (std::size_t begin = list.find_first_not_of(separators); begin != std::string_view::npos;) {
    const std::size_t end = std::min(list.find_first_of(separators, begin), list.size());
    Tag tag = tag_of(list.substr(begin, end - begin));
    begin = list.find_first_not_of(separators, end);
    if (tag.key.empty()) refuse("DD_TAGS", list, "write key:value pairs parted by commas or blanks, each with a key");
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
