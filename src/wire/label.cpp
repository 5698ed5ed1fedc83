#include "wire/label.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace event_metrics::inline v0::wire {
namespace {

constexpr std::size_t longest_host = 255;

constexpr bool is_letter(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool allowed(char c, std::string_view marks) noexcept {
  return is_letter(c) || is_digit(c) || marks.find(c) != std::string_view::npos;
}

// Bytes of the well-formed multi-byte character that `text` begins with, 0 when it begins with none. The bounds of the
// second byte shut out overlong forms, surrogates and what lies above U+10FFFF (Unicode, table 3-7).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = at(0);
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return length;
}

bool reserved(std::string_view key, const AgentRules& rules) noexcept {
  if (!rules.reserved_start.empty() && key.starts_with(rules.reserved_start)) return true;
  return std::ranges::find(rules.reserved_keys, key) != rules.reserved_keys.end();
}

// 1 to 65535 in at most five digits, 0 for anything else.
unsigned port_number(std::string_view digits) noexcept {
  if (digits.size() > 5 || !std::ranges::all_of(digits, is_digit)) return 0;
  unsigned port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port <= 65535 ? port : 0;
}

// What RFC 3986 lets stand in a host unescaped, and what cannot be there on purpose and is cleaned. The rest, `%` and
// `&` say, shows that a path, a query or user info was put together wrongly, and may be a secret.
bool may_stand_in_host(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return is_letter(c) || is_digit(c) || std::string_view(".-_~|").find(c) != std::string_view::npos || byte < 0x20 ||
         byte >= 0x7f;
}

// Where the host of `authority` ends, npos when it has none that could be one.
std::size_t host_end(std::string_view authority) noexcept {
  if (!authority.starts_with('[')) {
    const std::size_t end = std::min(authority.find(':'), authority.size());
    return std::ranges::all_of(authority.substr(0, end), may_stand_in_host) ? end : std::string_view::npos;
  }
  const std::size_t bracket = authority.find(']');
  const auto in_brackets = [](char c) { return may_stand_in_host(c) || c == ':' || c == '%'; };  // a zone follows `%`
  if (bracket == std::string_view::npos || bracket == 1) return std::string_view::npos;
  if (!std::ranges::all_of(authority.substr(1, bracket - 1), in_brackets)) return std::string_view::npos;
  const std::size_t end = bracket + 1;
  return end == authority.size() || authority[end] == ':' ? end : std::string_view::npos;
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
    const std::size_t length = rules.utf8_values ? utf8_length(value.substr(i)) : 0;
    if (length > 0) {
      i += length - 1;
    } else if (!allowed(out[i], rules.value_marks)) {
      out[i] = '_';
    }
  }
  return out;
}

std::string endpoint_label(std::string_view authority, std::uint16_t default_port) {
  constexpr const char* invalid = "invalid";
  const std::size_t end = host_end(authority);
  if (end == std::string_view::npos || end == 0 || end > longest_host) return invalid;

  std::string label(authority.substr(0, end));
  std::ranges::transform(label, label.begin(), lower);
  if (end == authority.size()) return label;
  const std::string_view digits = authority.substr(end + 1);
  if (digits.empty()) return label;
  const unsigned port = port_number(digits);
  if (port == 0) return invalid;
  if (port != default_port) label += ':' + std::to_string(port);
  return label;
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
