// Any text as a URL: its label is a part of it in lower case that shows neither user info nor path, and one tag with
// one value for every agent.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "endpoints.hpp"
#include "fuzz/fuzz.hpp"
#include "record/host_key.hpp"
#include "wire/agent_rules.hpp"
#include "wire/label.hpp"

using namespace event_metrics;

namespace {

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// The host begins behind the last @ of the authority. Its port may be said otherwise: 080 is 80.
void check_place(std::string_view url, std::string_view label) {
  const std::string text = lower(url);
  const std::size_t begin = text.find("://") + 3;
  const std::string authority = text.substr(begin, text.find_first_of("/?#", begin) - begin);
  const std::size_t port = label.find(':', label.starts_with('[') ? label.find(']') : 0);
  const std::string_view host = label.substr(0, port);
  fuzz::require(authority.substr(authority.rfind('@') + 1).starts_with(host), "the label begins the host", label);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string url(reinterpret_cast<const char*>(data), size);
  const record::HostKey key = record::host_key(url);
  const record::HostKey guess = record::likely_host_key(url);
  const bool possible = !guess.authority.empty() && guess.authority.find_first_of("@?#\\") == std::string_view::npos;
  fuzz::require(key.authority.find_first_of("/@?#\\") == std::string_view::npos, "a key has no such byte",
                key.authority);
  fuzz::require(!possible || (guess.authority == key.authority && guess.scheme == key.scheme), "the guess is right",
                url);
  const std::string label = key.authority.empty() ? "invalid" : endpoint_label(key);
  fuzz::require(!label.empty() && label.size() <= record::longest_authority, "the label has a length", label);
  if (label != "invalid") check_place(url, label);
  for (const wire::AgentRules& rules : wire::all_rules()) {
    const statsd::Tag tag{"endpoint", label};
    const std::string text = "name:1|c" + wire::tag_suffix(rules, {&tag, 1});
    const statsd_line::Line line = fuzz::line(text);
    fuzz::require(line.name == "name" && line.value == "1" && line.type == "c" && !line.rate, "no field changed", text);
    fuzz::require(line.tags.size() == (rules.tags ? 1 : 0), "one tag where there are tags", text);
    if (!rules.tags) continue;
    fuzz::require(line.tags[0].key == "endpoint" && line.tags[0].value == wire::clean_value(label, rules),
                  "the tag says the label", text);
  }
  return 0;
}
