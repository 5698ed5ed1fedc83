#include "wire/datagram.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "wire/weight.hpp"

namespace event_metrics::inline v0::wire {
namespace {

constexpr std::size_t longest_value = 20;  // the digits of the lowest std::int64_t, and its sign

constexpr std::string_view type_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::counter:
      return "c";
    case Kind::gauge:
      return "g";
    case Kind::timing:
      return "ms";
    case Kind::distribution:
      return "d";
  }
  return "";
}

constexpr bool has_weight(Kind kind) noexcept { return kind == Kind::timing || kind == Kind::distribution; }

}  // namespace

std::size_t longest(const AgentRules& rules, std::span<const Line> group) noexcept {
  constexpr std::string_view zero_value = "0";
  std::size_t sum = 0;
  for (const Line& line : group) {
    const std::size_t around = line.name.size() + 1 + 1 + type_of(line.kind).size() + line.suffix.size();
    if (sum > 0) ++sum;
    sum += around + longest_value;
    if (has_weight(line.kind) && (rules.timing_weight_max > 1 || rules.rate_counts)) sum += 2 + longest_rate;
    if (line.kind == Kind::gauge && rules.negative_gauge_is_delta) sum += around + zero_value.size() + 1;
  }
  return sum;
}

Datagram::Datagram(const AgentRules& rules, std::size_t limit) : rules_(&rules), buffer_(limit), limit_(limit) {}

bool Datagram::add(std::span<const Line> group) noexcept {
  const std::size_t before = size_;
  for (const Line& line : group) {
    if (!append(line)) {
      size_ = before;
      return false;
    }
  }
  return true;
}

void Datagram::shrink(std::size_t limit) noexcept {
  limit_ = std::min(limit_, limit);
  clear();
}

bool Datagram::append(const Line& line) noexcept {
  const bool delta = line.kind == Kind::gauge && line.value < 0 && rules_->negative_gauge_is_delta;
  return (!delta || append(line, 0)) && append(line, line.value);
}

bool Datagram::append(const Line& line, std::int64_t value) noexcept {
  return (empty() || append("\n")) && append(line.name) && append(":") && append(value) && append("|") &&
         append(type_of(line.kind)) && (!has_weight(line.kind) || append_rate(line.weight)) && append(line.suffix);
}

bool Datagram::append(std::string_view text) noexcept {
  if (text.size() > limit_ - size_) return false;
  std::ranges::copy(text, buffer_.data() + size_);
  size_ += text.size();
  return true;
}

bool Datagram::append(std::int64_t value) noexcept {
  const auto [end, error] = std::to_chars(buffer_.data() + size_, buffer_.data() + limit_, value);
  if (error != std::errc{}) return false;
  size_ = static_cast<std::size_t>(end - buffer_.data());
  return true;
}

bool Datagram::append_rate(std::uint64_t weight) noexcept {
  if (weight == 1) return true;
  if (!append("|@")) return false;
  const char* const end = write_rate({buffer_.data() + size_, limit_ - size_}, weight);
  if (end == nullptr) return false;
  size_ = static_cast<std::size_t>(end - buffer_.data());
  return true;
}

}  // namespace event_metrics::inline v0::wire
