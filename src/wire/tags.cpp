#include "wire/tags.hpp"

#include <algorithm>
#include <cstddef>

#include "base/utf8.hpp"

namespace event_metrics::inline v0::wire {
namespace {

constexpr bool is_letter(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool allowed(char c, std::string_view marks) noexcept {
  return is_letter(c) || is_digit(c) || marks.find(c) != std::string_view::npos;
}

bool reserved(std::string_view key, const AgentRules& rules) noexcept {
  if (!rules.reserved_start.empty() && key.starts_with(rules.reserved_start)) return true;
  return std::ranges::find(rules.reserved_keys, key) != rules.reserved_keys.end();
}

}  // namespace

std::string clean_key(std::string_view key, const AgentRules& rules) {
  std::string out(key);
  for (char& c : out) {
    if (!allowed(c, rules.key_marks)) c = '_';
  }
  if (out.empty() || !is_letter(out.front()) || reserved(out, rules)) out.insert(0, "tag_");
  return out;
}

std::string clean_value(std::string_view value, const AgentRules& rules) {
  std::string out(value);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t bytes = rules.utf8_values ? code_point(value.substr(i)).bytes : 0;
    if (bytes > 1) {
      i += bytes - 1;
    } else if (!allowed(out[i], rules.value_marks)) {
      out[i] = '_';
    }
  }
  return out;
}

std::string tag_suffix(const AgentRules& rules, std::span<const statsd::Tag> tags) {
  std::string suffix;
  if (!rules.tags) return suffix;
  for (const statsd::Tag& tag : tags) {
    suffix += suffix.empty() ? "|#" : ",";
    suffix += clean_key(tag.key, rules);
    if (!tag.value.empty()) suffix += ':' + clean_value(tag.value, rules);
  }
  return suffix;
}

}  // namespace event_metrics::inline v0::wire
