// client/delivery_series.hpp - which series an endpoint counts towards, and the text that tells it apart on the wire.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/schema.hpp"
#include "event_metrics/statsd/options.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0 {

/// The series of one client. 0 is `other`, or the only one when nothing tells endpoints apart; 1 is `invalid`.
class DeliverySeries {
 public:
  static constexpr std::uint32_t other = 0;
  static constexpr std::uint32_t invalid = 1;

  /// `by_endpoint` asks for the tag `endpoint`. Throws std::invalid_argument when the lines of `other` cannot fit a
  /// datagram of `limit` bytes.
  DeliverySeries(const wire::AgentRules& rules, Schema schema, std::vector<statsd::Tag> tags, bool by_endpoint,
                 std::size_t limit);

  /// What `series` series with tags of up to `longest_suffix` bytes take at most: each is kept twice, in two
  /// containers.
  static std::size_t most_bytes(std::size_t series, std::size_t longest_suffix) noexcept {
    return series * 2 * (longest_suffix + 64);
  }

  const Schema& schema() const noexcept { return schema_; }
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(suffixes_.size()); }

  /// The tags of a series, as they stand at the end of its lines.
  std::string_view suffix(std::uint32_t series) const noexcept { return suffixes_[series]; }
  /// The tags of what has no endpoint.
  std::string_view common_suffix() const noexcept { return common_suffix_; }

  /// The series of the endpoint with this label: one that has equal tags, or a new one. `other` when its lines would
  /// not fit a datagram. Throws std::bad_alloc, and then nothing has changed.
  std::uint32_t find_or_add(std::string_view label);

  /// From now on new series must fit `limit`, which is no less than longest_group().
  void lower_limit(std::size_t limit) noexcept { limit_ = limit; }

  /// The bytes that the longest group of lines of any series so far can take.
  std::size_t longest_group() const noexcept { return longest_group_; }

 private:
  std::string suffix_of(std::string_view label) const;
  std::size_t longest(std::string_view suffix) const noexcept;
  void add(std::string suffix);

  const wire::AgentRules& rules_;
  const Schema schema_;
  std::vector<statsd::Tag> tags_;
  std::size_t limit_;
  std::string common_suffix_;
  std::vector<std::string> suffixes_;
  std::unordered_map<std::string, std::uint32_t> by_suffix_;
  std::size_t longest_group_ = 0;
};

}  // namespace event_metrics::inline v0
