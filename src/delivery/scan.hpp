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

/// The same for lower-case letters, digits and `-./`: what most hosts are made of, and a slash, which none has.
struct Plain {
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

/// Where the first of Kind's bytes, or where `wanted` is false the first other byte, stands among the 32 at `text`; 32
/// when nowhere.
template <class Kind, bool wanted>
unsigned find_in_32(const char* text) noexcept {
#ifdef __SSE2__
  const auto found_at = [](const char* bytes) {
    return static_cast<unsigned>(_mm_movemask_epi8(Kind::of(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)))));
  };
  const unsigned found = found_at(text) | found_at(text + 16) << 16U;
  return static_cast<unsigned>(wanted ? std::countr_zero(found) : std::countr_one(found));
#else
  unsigned at = 0;
  while (at < 32 && Kind::of(text[at]) != wanted) ++at;
  return at;
#endif
}

/// Where the first of Kind's bytes stands in `text` at or behind `from`, which is in it or its end; or, where
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

}  // namespace event_metrics::inline v0::delivery
