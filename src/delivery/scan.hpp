// delivery/scan.hpp - finds certain bytes, sixteen at a time where the machine has the instructions for it.

#pragma once

#include <cstddef>
#include <string_view>

#ifdef __SSE2__  // every x86-64 has it
#include <emmintrin.h>

#include <bit>
#endif

namespace event_metrics::inline v0::delivery {

/// Which of sixteen bytes, or whether one byte, is one of `bytes`.
template <char... bytes>
struct OneOf {
#ifdef __SSE2__
  static __m128i of(__m128i sixteen) noexcept { return (_mm_cmpeq_epi8(sixteen, _mm_set1_epi8(bytes)) | ...); }
#endif
  static constexpr bool of(char byte) noexcept { return ((byte == bytes) || ...); }
};

/// The same for lower-case letters, digits and `-./`.
struct PlainOrSlash {
#ifdef __SSE2__
  static __m128i of(__m128i sixteen) noexcept { return between<'a', 'z'>(sixteen) | between<'-', '9'>(sixteen); }

  template <char first, char last>
  static __m128i between(__m128i sixteen) noexcept {
    const __m128i above = _mm_sub_epi8(sixteen, _mm_set1_epi8(first));  // as unsigned bytes, and so past the other end
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(last - first)), above);
  }
#endif
  static constexpr bool of(char byte) noexcept { return (byte >= 'a' && byte <= 'z') || (byte >= '-' && byte <= '9'); }
};

/// Without the slash: what most hosts are made of.
struct Plain {
#ifdef __SSE2__
  static __m128i of(__m128i sixteen) noexcept {
    return _mm_andnot_si128(OneOf<'/'>::of(sixteen), PlainOrSlash::of(sixteen));
  }
#endif
  static constexpr bool of(char byte) noexcept { return byte != '/' && PlainOrSlash::of(byte); }
};

/// Where the first of these bytes stands in `text` at or behind `from`, which is in it or its end; or, where
/// `wanted` is false, the first other byte. The size when nowhere.
template <class Kind, bool wanted>
std::size_t find_byte(std::string_view text, std::size_t from) noexcept {
  std::size_t at = from;
#ifdef __SSE2__
  constexpr std::size_t width = 16;
  const auto found_at = [](const char* bytes) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(Kind::of(sixteen)));
    return wanted ? found : found ^ 0xFFFFU;
  };
  for (; at + width <= text.size(); at += width) {
    if (const unsigned found = found_at(text.data() + at)) return at + static_cast<unsigned>(std::countr_zero(found));
  }
  if (text.size() >= width) {  // the last sixteen once more, less what has been looked at
    const std::size_t last = text.size() - width;
    const unsigned found = found_at(text.data() + last) >> (at - last);
    return found != 0 ? at + static_cast<unsigned>(std::countr_zero(found)) : text.size();
  }
#endif
  while (at < text.size() && Kind::of(text[at]) != wanted) ++at;
  return at;
}

template <char... bytes>
std::size_t find_first(std::string_view text, std::size_t from) noexcept {
  return find_byte<OneOf<bytes...>, true>(text, from);
}

inline std::size_t find_first_not_plain(std::string_view text, std::size_t from) noexcept {
  return find_byte<Plain, false>(text, from);
}

}  // namespace event_metrics::inline v0::delivery
