// wire/weight.hpp - how many equal timings one line may stand for, and the rate that says so.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace event_metrics::inline v0::wire {

/// The longest rate of a weight up to 1,000,000.
inline constexpr std::size_t longest_rate = 24;

/// Whether a receiver that divides 1 by the rate 1/n finds exactly n. Where it does not, no rate could make it: 49, for
/// example, and 157,174 of the first million.
bool whole_rate(std::uint64_t n) noexcept;

/// The weight of the next line when n equal timings are owed: the greatest whole-rate number up to n and `most`. Up to
/// 1,000,000 two lines are always enough for n <= most. 0 for 0.
std::uint64_t next_weight(std::uint64_t n, std::uint64_t most) noexcept;

/// Writes 1/weight as the shortest fixed-point text that reads back as the same double; returns the end of it, nullptr
/// when it does not fit.
char* write_rate(std::span<char> out, std::uint64_t weight) noexcept;

}  // namespace event_metrics::inline v0::wire
