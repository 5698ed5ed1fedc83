#include "client/delivery_series.hpp"

#include <algorithm>
#include <utility>

#include "base/refuse.hpp"
#include "wire/tags.hpp"

namespace event_metrics::inline v0 {

DeliverySeries::DeliverySeries(const wire::AgentRules& rules, Schema schema, std::vector<statsd::Tag> tags,
                               bool by_endpoint, std::size_t limit)
    : rules_{rules},
      schema_{std::move(schema)},
      tags_{std::move(tags)},
      limit_{limit},
      common_suffix_{wire::tag_suffix(rules, tags_)} {
  const std::string first = by_endpoint ? suffix_of("other") : common_suffix_;
  if (const std::size_t needed = std::max(longest(first), by_endpoint ? longest(suffix_of("invalid")) : 0);
      needed > limit) {
    refuse("Options.max_datagram_bytes", "allows " + std::to_string(limit) + " bytes",
           "the lines of one delivery with this prefix and these tags can take " + std::to_string(needed) +
               ", write at least that, or shorten the prefix or the tags, in DD_TAGS if they come from there");
  }
  add(first);
  if (by_endpoint) add(suffix_of("invalid"));
}

std::string DeliverySeries::suffix_of(std::string_view label) const {
  std::vector<statsd::Tag> tags = tags_;
  tags.push_back({"endpoint", std::string{label}});
  return wire::tag_suffix(rules_, tags);
}

std::size_t DeliverySeries::longest(std::string_view suffix) const noexcept {
  const auto longest_line = [this](std::string_view key, wire::Kind kind, std::string_view tags) {
    const wire::Line one{key, kind, 0, 1, tags};
    return wire::longest(rules_, {&one, 1});
  };
  std::size_t group = schema_.counters.size() - 1;  // line breaks
  for (const Schema::Counter& each : schema_.counters) group += longest_line(each.key, wire::Kind::counter, suffix);
  return std::max({group, longest_line(schema_.observed, schema_.observed_kind, suffix),
                   longest_line(schema_.level, wire::Kind::gauge, common_suffix_)});
}

std::uint32_t DeliverySeries::find_or_add(std::string_view label) {
  std::string suffix = suffix_of(label);
  if (const auto known = by_suffix_.find(suffix); known != by_suffix_.end()) return known->second;
  if (longest(suffix) > limit_) return other;
  add(std::move(suffix));
  return size() - 1;
}

void DeliverySeries::add(std::string suffix) {
  // So that nothing can fail between the two.
  if (suffixes_.size() == suffixes_.capacity()) suffixes_.reserve(2 * suffixes_.size() + 2);
  by_suffix_.emplace(suffix, size());
  longest_group_ = std::max(longest_group_, longest(suffix));
  suffixes_.push_back(std::move(suffix));
}

}  // namespace event_metrics::inline v0
