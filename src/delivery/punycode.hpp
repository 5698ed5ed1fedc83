// delivery/punycode.hpp - a part of a host's name in ASCII.

#pragma once

#include <cstddef>
#include <span>

namespace event_metrics::inline v0::delivery {

/// The most code points that are written as one text: no host has more.
inline constexpr std::size_t most_code_points = 255;

/// Writes `text`, at most most_code_points, into `out` and returns how many bytes that took; 0 where they do not fit.
/// The time that it takes grows little faster than the text. Source: RFC 3492, with the parameters of section 5 and
/// without case flags.
std::size_t punycode(std::span<const char32_t> text, std::span<char> out) noexcept;

}  // namespace event_metrics::inline v0::delivery
