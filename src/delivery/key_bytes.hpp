// delivery/key_bytes.hpp - 32 bytes of text that are looked for, cut, hashed and compared at once.
//
// Twice: for x86-64, whose SSE2 does each in a few instructions, and plainly, for other machines and as the yardstick.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "delivery/scan.hpp"
#include "record/layout.hpp"

namespace event_metrics::inline v0::delivery {

inline constexpr std::size_t key_bytes = 32;
static_assert(sizeof(record::Seed) == key_bytes);

/// A hash is a sum of products, whose bits are unequally good: 32 bits in which all of them count.
inline std::uint32_t spread(std::uint64_t hash) noexcept {
  return static_cast<std::uint32_t>((hash ^ hash >> 32U) * 0x9E3779B97F4A7C15U >> 32U);
}

class PlainKeyBytes {
 public:
  /// The 32 bytes at `text`.
  static PlainKeyBytes load(const char* text) noexcept {
    PlainKeyBytes bytes;
    std::memcpy(bytes.bytes_.data(), text, key_bytes);
    return bytes;
  }
  /// The `size` bytes at `text`, at most 31, and zeros. May read the eight bytes before its end, wherever it begins.
  static PlainKeyBytes load(const char* text, std::size_t size) noexcept {
    PlainKeyBytes bytes;
    std::copy_n(text, size, bytes.bytes_.begin());
    return bytes;
  }
  /// Where the first of `wanted` stands; 32 when none.
  template <char... wanted>
  unsigned find() const noexcept {
    const auto found = std::find_if(bytes_.begin(), bytes_.end(), [](char byte) { return ((byte == wanted) || ...); });
    return static_cast<unsigned>(found - bytes_.begin());
  }
  /// How many bytes are PlainOrSlash, before the first that is not.
  unsigned leading_plain() const noexcept {
    const auto other = std::find_if_not(bytes_.begin(), bytes_.end(), [](char byte) { return PlainOrSlash::of(byte); });
    return static_cast<unsigned>(other - bytes_.begin());
  }
  /// The first `size` bytes, at most 32, and zeros.
  PlainKeyBytes first(unsigned size) const noexcept {
    PlainKeyBytes bytes;
    std::copy_n(bytes_.begin(), size, bytes.bytes_.begin());
    return bytes;
  }
  /// Who chooses texts cannot choose collisions: for two different texts the chance of equal hashes is 2^-32. Source:
  /// NH, of UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway 1999).
  std::uint64_t hash(const record::Seed& seed) const noexcept {
    std::array<std::uint32_t, key_bytes / 4> word;
    std::memcpy(word.data(), bytes_.data(), key_bytes);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < word.size(); i += 2) {
      sum += std::uint64_t{word[i] + seed.word[i]} * std::uint64_t{word[i + 1] + seed.word[i + 1]};
    }
    return sum;
  }
  /// Whether the 32 bytes at `text`, whose address is a multiple of 16, are these.
  bool equals(const char* text) const noexcept { return std::memcmp(bytes_.data(), text, key_bytes) == 0; }
  /// The same of those bytes alone whose bits are set in `which`, the lowest for the first byte.
  bool agrees(const char* text, std::uint32_t which) const noexcept {
    std::uint32_t equal = 0;
    for (unsigned i = 0; i < key_bytes; ++i) equal |= std::uint32_t{bytes_[i] == text[i]} << i;
    return (which & ~equal) == 0;
  }

 private:
  std::array<char, key_bytes> bytes_{};
};

#ifdef __SSE2__
/// As PlainKeyBytes.
class SseKeyBytes {
 public:
  SseKeyBytes() noexcept : SseKeyBytes{_mm_setzero_si128(), _mm_setzero_si128()} {}
  static SseKeyBytes load(const char* text) noexcept {
    const auto* const halves = reinterpret_cast<const __m128i*>(text);
    return {_mm_loadu_si128(halves), _mm_loadu_si128(halves + 1)};
  }
  static SseKeyBytes load(const char* text, std::size_t size) noexcept {
    // By words, in registers: what has just been written byte by byte cannot be read sixteen at a time without delay.
    const auto word = [=](std::size_t at) -> std::uint64_t {
      if (at >= size) return 0;
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, at + 8 <= size ? text + at : text + size - 8, 8);
      return at + 8 <= size ? bytes : bytes >> 8U * (at + 8 - size);
    };
    return {words(word(0), word(8)), words(word(16), word(24))};
  }
  template <char... wanted>
  unsigned find() const noexcept {
    const __m128i low = (_mm_cmpeq_epi8(low_, _mm_set1_epi8(wanted)) | ...);
    const __m128i high = (_mm_cmpeq_epi8(high_, _mm_set1_epi8(wanted)) | ...);
    return static_cast<unsigned>(std::countr_zero(bits(low, high)));
  }
  unsigned leading_plain() const noexcept {
    return static_cast<unsigned>(std::countr_one(bits(PlainOrSlash::of(low_), PlainOrSlash::of(high_))));
  }
  SseKeyBytes first(unsigned size) const noexcept {
    // 32 bytes of ones, then 32 of zeros: read from where the first `size` ones are left.
    alignas(64) static constexpr auto ones = [] {
      std::array<unsigned char, 2 * key_bytes> bytes{};
      std::fill_n(bytes.begin(), key_bytes, static_cast<unsigned char>(0xFF));
      return bytes;
    }();
    const SseKeyBytes mask = load(reinterpret_cast<const char*>(ones.data()) + key_bytes - size);
    return {_mm_and_si128(low_, mask.low_), _mm_and_si128(high_, mask.high_)};
  }
  std::uint64_t hash(const record::Seed& seed) const noexcept {
    const auto* const halves = reinterpret_cast<const __m128i*>(&seed);
    const __m128i sum = _mm_add_epi64(products(_mm_add_epi32(low_, _mm_load_si128(halves))),
                                      products(_mm_add_epi32(high_, _mm_load_si128(halves + 1))));
    return static_cast<std::uint64_t>(
        _mm_cvtsi128_si64(_mm_add_epi64(sum, _mm_shuffle_epi32(sum, 0xEE))));  // both halves
  }
  bool equals(const char* text) const noexcept {
    const auto* const halves = reinterpret_cast<const __m128i*>(text);
    const __m128i equal =
        _mm_and_si128(_mm_cmpeq_epi8(low_, _mm_load_si128(halves)), _mm_cmpeq_epi8(high_, _mm_load_si128(halves + 1)));
    return _mm_movemask_epi8(equal) == 0xFFFF;
  }
  bool agrees(const char* text, std::uint32_t which) const noexcept {
    const auto* const halves = reinterpret_cast<const __m128i*>(text);
    return (which & ~equal(_mm_load_si128(halves), _mm_load_si128(halves + 1))) == 0;
  }

 private:
  SseKeyBytes(__m128i low, __m128i high) noexcept : low_{low}, high_{high} {}
  static __m128i words(std::uint64_t first, std::uint64_t second) noexcept {
    return _mm_set_epi64x(static_cast<std::int64_t>(second), static_cast<std::int64_t>(first));
  }
  /// One bit for each byte that is equal.
  std::uint32_t equal(__m128i low, __m128i high) const noexcept {
    return bits(_mm_cmpeq_epi8(low_, low), _mm_cmpeq_epi8(high_, high));
  }
  static std::uint32_t bits(__m128i low, __m128i high) noexcept {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(low)) | static_cast<std::uint32_t>(_mm_movemask_epi8(high))
                                                                    << 16U;
  }
  /// Each even word by the odd one behind it.
  static __m128i products(__m128i words) noexcept { return _mm_mul_epu32(words, _mm_shuffle_epi32(words, 0xF5)); }

  __m128i low_;
  __m128i high_;
};
using KeyBytes = SseKeyBytes;
#else
using KeyBytes = PlainKeyBytes;
#endif

}  // namespace event_metrics::inline v0::delivery
