// record/cells.hpp - how a value becomes a cell, and what a cell is told as.
//
// A value is a whole number of units, of a duration one of milliseconds. Below 4096 a cell is one unit. Above, an
// octave has 1024 cells (lo, hi] whose edge hi is a multiple of their width, so that 5000 and 10,000 are edges, and so
// is every power of two; a cell is told as its middle, 0.05 % off at worst. The last cell takes everything from 2^39
// units on, 17 years of milliseconds. Behind these follow the octave cells of the shared block.

#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>

namespace event_metrics::inline v0::record {

inline constexpr unsigned exact_octaves = 12;
inline constexpr unsigned octaves = 39;
inline constexpr unsigned exact_cells = 1U << exact_octaves;  ///< one per unit
inline constexpr unsigned cells_per_octave = 1024;
inline constexpr std::uint64_t greatest_value = std::uint64_t{1} << octaves;
inline constexpr unsigned fine_cells = exact_cells + (octaves - exact_octaves) * cells_per_octave;
inline constexpr unsigned cells_per_chunk = 64;
inline constexpr unsigned chunks_per_mid = 16;
inline constexpr unsigned octave_chunk = fine_cells / cells_per_chunk;  ///< the one chunk of octave cells
inline constexpr unsigned chunk_count = octave_chunk + 1;
inline constexpr unsigned cell_count = chunk_count * cells_per_chunk;
inline constexpr unsigned tally_code = cell_count;       ///< no cell: the tally of a row
inline constexpr unsigned beyond_cell = cell_count + 1;  ///< a value beyond the range, on its way to the last cell

// A mid is the way to sixteen chunks. Those of the exact cells are reached at once, those of the octaves above through
// one more step: few rows ever have any of these, and none should pay for them.
inline constexpr unsigned exact_mids = exact_cells / cells_per_chunk / chunks_per_mid;
inline constexpr unsigned far_mids = octave_chunk / chunks_per_mid - exact_mids;

/// Whole milliseconds, rounded down; a negative duration is 0, one beyond the range the greatest value.
constexpr std::uint64_t whole_milliseconds(std::chrono::nanoseconds duration) noexcept {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms <= 0 ? 0 : std::min(static_cast<std::uint64_t>(ms), greatest_value);
}

/// The cell of `value`, which is at most greatest_value.
constexpr unsigned cell_of(std::uint64_t value) noexcept {
  if (value < exact_cells) return static_cast<unsigned>(value);
  const std::uint64_t x = value == exact_cells ? value : value - 1;  // (lo, hi]: the edge belongs to the cell below it
  const auto octave = static_cast<unsigned>(std::bit_width(x)) - 1;
  const auto step = static_cast<unsigned>(x >> (octave - 10)) - cells_per_octave;
  return exact_cells + (octave - exact_octaves) * cells_per_octave + step;
}

/// The same of a duration, with a shorter way for one that is exact: 10^6 = 2^6 * 15625, and 32 bits are enough. One
/// beyond the range is told apart, to be counted as such.
constexpr unsigned cell_of(std::chrono::nanoseconds duration) noexcept {
  const auto ns = static_cast<std::uint64_t>(duration.count());
  if (ns < exact_cells * std::uint64_t{1'000'000}) [[likely]]
    return static_cast<std::uint32_t>(ns >> 6U) / 15'625U;
  return duration > std::chrono::milliseconds{greatest_value} ? beyond_cell : cell_of(whole_milliseconds(duration));
}

constexpr unsigned octave_of(std::uint64_t value) noexcept {
  return static_cast<unsigned>(std::bit_width(value | 1U)) - 1;
}

/// The value that a cell, fine or octave, is told as.
constexpr std::uint64_t value_of(unsigned cell) noexcept {
  if (cell < exact_cells) return cell;
  if (cell < fine_cells) {
    const unsigned octave = exact_octaves + (cell - exact_cells) / cells_per_octave;
    const unsigned step = (cell - exact_cells) % cells_per_octave;
    const std::uint64_t width = std::uint64_t{1} << (octave - 10);
    return (cells_per_octave + step + 1) * width - width / 2;
  }
  const unsigned octave = cell - fine_cells;
  return octave == 0 ? 1 : std::uint64_t{3} << (octave - 1);
}

/// The octave cell for what a fine cell holds.
constexpr unsigned coarse_cell(unsigned cell) noexcept { return fine_cells + octave_of(value_of(cell)); }

}  // namespace event_metrics::inline v0::record
