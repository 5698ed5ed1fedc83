// base/utf8.hpp - the code points of a text from outside, which may be no UTF-8 at all.

#pragma once

#include <cstddef>
#include <string_view>

namespace event_metrics::inline v0 {

struct CodePoint {
  char32_t value;
  std::size_t bytes;  ///< 1 to 4; 0 where none begins
};

/// The code point that `text` begins with. None where it is empty or ill-formed: the bounds of the second byte shut out
/// overlong forms, surrogates and what lies above U+10FFFF. Source: Unicode, table 3-7.
inline CodePoint code_point(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (text.empty()) return {0, 0};
  const unsigned first = at(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (first < 0xc2 || first > 0xf4 || at(1) < low || at(1) > high) return {0, 0};
  char32_t value = first & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return {0, 0};
    value = value << 6U | (at(i) & 0x3fU);
  }
  return {value, bytes};
}

}  // namespace event_metrics::inline v0
