// wire/datagram.hpp - lines as text, packed into datagrams.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0::wire {

enum class Kind : std::uint8_t { counter, gauge, timing, distribution };

/// One value to send: `name:value|type[|@rate]suffix`.
struct Line {
  std::string_view name;  ///< the whole key, prefix included
  Kind kind;
  std::int64_t value;
  std::uint64_t weight = 1;      ///< of timings and distributions: a result of next_weight
  std::string_view suffix = {};  ///< as tag_suffix makes it
};

/// The most bytes that `group` can take, whatever its values and weights are: line breaks between its lines included.
std::size_t longest(const AgentRules& rules, std::span<const Line> group) noexcept;

/// Lines parted by '\n', without one at the end, never more than `limit` bytes.
class Datagram {
 public:
  /// Allocates the only memory it ever needs.
  Datagram(const AgentRules& rules, std::size_t limit);

  /// Appends all lines of `group`, or none and returns false when they do not fit in what is left.
  bool add(std::span<const Line> group) noexcept;

  std::string_view bytes() const noexcept { return {buffer_.data(), size_}; }
  bool empty() const noexcept { return size_ == 0; }
  void clear() noexcept { size_ = 0; }

  std::size_t limit() const noexcept { return limit_; }

  /// Lowers the limit, for a way that carries less than was thought, and drops what has been added.
  void shrink(std::size_t limit) noexcept;

 private:
  bool append(const Line& line) noexcept;
  bool append(const Line& line, std::int64_t value) noexcept;
  bool append(std::string_view text) noexcept;
  bool append(std::int64_t value) noexcept;
  bool append_rate(std::uint64_t weight) noexcept;

  const AgentRules* rules_;
  std::vector<char> buffer_;
  std::size_t limit_;
  std::size_t size_ = 0;
};

}  // namespace event_metrics::inline v0::wire
