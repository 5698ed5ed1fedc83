#include "delivery/punycode.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <utility>

namespace event_metrics::inline v0::delivery {
namespace {

constexpr std::uint32_t base = 36;
constexpr std::uint32_t least_threshold = 1;
constexpr std::uint32_t most_threshold = 26;
constexpr std::uint32_t first_bias = 72;
constexpr char32_t first_code_point = 0x80;

std::uint32_t adapted(std::uint32_t delta, std::uint32_t count, bool first) noexcept {
  constexpr std::uint32_t skew = 38;
  constexpr std::uint32_t damp = 700;
  constexpr std::uint32_t range = base - least_threshold;
  delta /= first ? damp : 2;
  delta += delta / count;
  std::uint32_t bias = 0;
  for (; delta > range * most_threshold / 2; bias += base) delta /= range;
  return bias + (range + 1) * delta / (delta + skew);
}

class Output {
 public:
  explicit Output(std::span<char> out) noexcept : out_{out} {}

  void put(char c) noexcept {
    if (size_ < out_.size()) out_[size_] = c;
    ++size_;
  }
  /// As a generalized variable-length integer, section 3.3.
  void put_number(std::uint32_t number, std::uint32_t bias) noexcept {
    for (std::uint32_t at = base;; at += base) {
      const std::uint32_t threshold = std::clamp(at > bias ? at - bias : 0, least_threshold, most_threshold);
      if (number < threshold) return put(digit(number));
      put(digit(threshold + (number - threshold) % (base - threshold)));
      number = (number - threshold) / (base - threshold);
    }
  }
  bool fits() const noexcept { return size_ <= out_.size(); }
  std::size_t size() const noexcept { return size_; }

 private:
  static char digit(std::uint32_t value) noexcept { return "abcdefghijklmnopqrstuvwxyz0123456789"[value]; }

  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace

// A decoder begins with the ASCII characters and inserts the others by value, those of one value from left to right.
// Each number says how far its state of value and place is from the one after the insertion before.
std::size_t punycode(std::span<const char32_t> text, std::span<char> out) noexcept {
  std::array<std::pair<char32_t, std::uint32_t>, most_code_points> rest;
  std::size_t rest_count = 0;
  std::bitset<most_code_points> inserted;
  Output output{out};
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    if (text[i] < first_code_point) {
      output.put(static_cast<char>(text[i]));
      inserted.set(i);
    } else {
      rest[rest_count++] = {text[i], i};
    }
  }
  const auto ascii_count = static_cast<std::uint32_t>(inserted.count());
  if (ascii_count > 0) output.put('-');
  std::sort(rest.begin(), rest.begin() + rest_count);

  char32_t value = first_code_point;
  std::uint32_t place = 0;
  std::uint32_t bias = first_bias;
  for (std::uint32_t i = 0; i < rest_count && output.fits(); ++i) {
    const auto [next_value, index] = rest[i];
    const std::uint32_t places = ascii_count + i + 1;
    const auto before = static_cast<std::uint32_t>((inserted << (most_code_points - index)).count());
    const auto delta = static_cast<std::uint32_t>(next_value - value) * places + before - place;
    output.put_number(delta, bias);
    bias = adapted(delta, places, i == 0);
    inserted.set(index);
    value = next_value;
    place = before + 1;
  }
  return output.fits() ? output.size() : 0;
}

}  // namespace event_metrics::inline v0::delivery
