// Any text as keys and values of tags: what the options accept stands on the wire as that many tags and nothing else.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/options.hpp"
#include "fuzz/fuzz.hpp"
#include "wire/agent_rules.hpp"
#include "wire/tags.hpp"

using namespace event_metrics;

namespace {

void check_tag(const wire::AgentRules& rules, const statsd::Tag& given, const statsd_line::Tag& read) {
  fuzz::require(read.key == wire::clean_key(given.key, rules), "the key is the cleaned one", read.key);
  if (!given.value.empty())
    fuzz::require(read.value == wire::clean_value(given.value, rules), "the value too", read.value);
  for (const std::string_view reserved : rules.reserved_keys) {
    fuzz::require(read.key != reserved, "the agent's own keys are kept free", read.key);
  }
}

bool accepted(const statsd::Options& options) {
  try {
    statsd::check(options);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  std::vector<statsd::Tag> tags;
  while (input.remaining_bytes() > 0 && tags.size() < 8) {
    std::string key = input.ConsumeRandomLengthString(60);
    tags.push_back({std::move(key), input.ConsumeRandomLengthString(300)});
  }
  for (const wire::AgentRules& rules : wire::all_rules()) {
    if (!accepted({.agent = rules.agent, .tags = tags})) continue;
    const std::string text = "name:1|c" + wire::tag_suffix(rules, tags);
    const statsd_line::Line line = fuzz::line(text);
    fuzz::require(line.name == "name" && line.value == "1" && line.type == "c" && !line.rate, "no field changed", text);
    fuzz::require(line.tags.size() == (rules.tags ? tags.size() : 0), "no tag more and none less", text);
    for (std::size_t i = 0; i < line.tags.size(); ++i) check_tag(rules, tags[i], line.tags[i]);
  }
  return 0;
}
