// record/scan.hpp - finds the first of a few bytes, sixteen at a time where the machine has the instructions for it.

#pragma once

#include <cstddef>
#include <string_view>

#ifdef __SSE2__  // every x86-64 has it
#include <emmintrin.h>

#include <bit>
#endif

namespace event_metrics::inline v0::record {

#ifdef __SSE2__
/// One bit for each of the sixteen bytes at `text`: whether it is one of `bytes`.
template <char... bytes>
unsigned which_of_sixteen(const char* text) noexcept {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i found = (_mm_cmpeq_epi8(block, _mm_set1_epi8(bytes)) | ...);
  return static_cast<unsigned>(_mm_movemask_epi8(found));
}
#endif

/// Where the first of `bytes` stands in `text` at or behind `from`, which is in it or its end; the size when nowhere.
template <char... bytes>
std::size_t find_first(std::string_view text, std::size_t from) noexcept {
  std::size_t at = from;
#ifdef __SSE2__
  constexpr std::size_t width = 16;
  for (; at + width <= text.size(); at += width) {
    if (const unsigned found = which_of_sixteen<bytes...>(text.data() + at)) {
      return at + static_cast<unsigned>(std::countr_zero(found));
    }
  }
  if (text.size() >= width) {  // the last sixteen once more, less what has been looked at
    const std::size_t last = text.size() - width;
    const unsigned found = which_of_sixteen<bytes...>(text.data() + last) >> (at - last);
    return found != 0 ? at + static_cast<unsigned>(std::countr_zero(found)) : text.size();
  }
#endif
  while (at < text.size() && ((text[at] != bytes) && ...)) ++at;
  return at;
}

}  // namespace event_metrics::inline v0::record
