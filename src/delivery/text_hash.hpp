// delivery/text_hash.hpp - hashes and compares texts by pieces that overlap, so that nothing beyond their ends is read.
//
// Twice: for x86-64, whose SSE2 does each in a few instructions, and plainly, for other machines and as the yardstick.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "record/layout.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace event_metrics::inline v0::delivery {

/// Most of the texts that are looked up are of a size for three pieces: the first 8 bytes, 16 behind them, or before if
/// there are not as many, and the last 16.
inline constexpr std::size_t longest_of_three = 39;
inline bool is_of_three(std::size_t size) noexcept { return size - 16 <= longest_of_three - 16; }

/// Where the one in the middle begins.
inline std::size_t middle(std::size_t size) noexcept { return std::min<std::size_t>(8, size - 16); }

/// Which of `places` belongs to a hash. The bits of a sum of products are unequally good: all of them count in the
/// upper ones of a further product.
inline std::uint64_t place_of(std::uint64_t hash, std::uint64_t places) noexcept {
  __extension__ using Product = unsigned __int128;
  return static_cast<std::uint64_t>(Product{(hash ^ hash >> 32U) * 0x9E3779B97F4A7C15U} * places >> 64U);
}

inline std::uint64_t word_at(const char* text) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word;
}

/// Whether two texts of one size, at least 16 bytes, are equal. For as few bytes as they mostly have a call of
/// std::memcmp() takes longer.
inline bool equal_long(const char* one, const char* other, std::size_t size) noexcept {
  using Words [[gnu::vector_size(16)]] = std::uint64_t;
  const auto differ = [=](std::size_t at) {
    Words words[2];
    std::memcpy(&words[0], one + at, sizeof(Words));
    std::memcpy(&words[1], other + at, sizeof(Words));
    return words[0] ^ words[1];
  };
  const std::size_t last = size - sizeof(Words);  // overlaps those before
  Words difference = differ(last);
  for (std::size_t at = 0; at < last; at += sizeof(Words)) difference |= differ(at);
  return (difference[0] | difference[1]) == 0;
}

/// The same of any size.
inline bool equal(const char* one, const char* other, std::size_t size) noexcept {
  if (size >= 16) return equal_long(one, other, size);
  if (size < 8) {
    std::size_t at = 0;  // no std::equal(): for a call of std::memcmp() whoever calls this would need a stack
    while (at < size && one[at] == other[at]) ++at;
    return at == size;
  }
  return word_at(one) == word_at(other) && word_at(one + size - 8) == word_at(other + size - 8);
}

namespace plain {

/// Of three pieces: who does not know the seed cannot choose texts of one size and the same first 8 bytes that collide;
/// for two of them the chance of equal hashes is 2^-32. Source: NH, of UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway
/// 1999).
inline std::uint64_t hash(const char* text, std::size_t size, const record::Seed& seed) noexcept {
  std::uint32_t word[10];
  std::memcpy(word, text + middle(size), 16);
  std::memcpy(word + 4, text + size - 16, 16);
  std::memcpy(word + 8, text, 8);
  word[4] += word[8];
  word[5] += word[9];
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 8; i += 2) {
    sum += std::uint64_t{word[i] + seed.word[i]} * std::uint64_t{word[i + 1] + seed.word[i + 1]};
  }
  return sum;
}

/// One bit for each of 32 bytes that is equal, the lowest for the first. The address of `other` is a multiple of 16.
inline std::uint32_t equal_in_32(const char* one, const char* other) noexcept {
  std::uint32_t equal = 0;
  for (unsigned i = 0; i < 32; ++i) equal |= std::uint32_t{one[i] == other[i]} << i;
  return equal;
}

}  // namespace plain

#ifdef __SSE2__
namespace sse2 {

inline __m128i sixteen(const char* text) noexcept { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text)); }

/// As plain::hash().
inline std::uint64_t hash(const char* text, std::size_t size, const record::Seed& seed) noexcept {
  const auto* const keys = reinterpret_cast<const __m128i*>(&seed);
  // Each even word by the odd one behind it.
  const auto products = [](__m128i words) { return _mm_mul_epu32(words, _mm_shuffle_epi32(words, 0xF5)); };
  const __m128i sums = _mm_add_epi64(
      products(_mm_add_epi32(sixteen(text + middle(size)), _mm_load_si128(keys))),
      products(_mm_add_epi32(
          _mm_add_epi32(sixteen(text + size - 16), _mm_loadl_epi64(reinterpret_cast<const __m128i*>(text))),
          _mm_load_si128(keys + 1))));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_add_epi64(sums, _mm_shuffle_epi32(sums, 0xEE))));
}

/// As plain::equal_in_32().
inline std::uint32_t equal_in_32(const char* one, const char* other) noexcept {
  const auto equal = [=](std::size_t at) {
    const auto* const aligned = reinterpret_cast<const __m128i*>(other + at);
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(sixteen(one + at), _mm_load_si128(aligned))));
  };
  return equal(0) | equal(16) << 16U;
}

}  // namespace sse2
namespace pieces = sse2;
#else
namespace pieces = plain;
#endif

/// Of a text of any other size.
std::uint64_t hash_of_other_size(std::string_view text, const record::Seed& seed) noexcept;

/// Of any text.
inline std::uint64_t hash_of(std::string_view text, const record::Seed& seed) noexcept {
  return is_of_three(text.size()) ? pieces::hash(text.data(), text.size(), seed) : hash_of_other_size(text, seed);
}

}  // namespace event_metrics::inline v0::delivery
