// record/cells.hpp - how a duration becomes a cell, and what a cell is told as.
//
// Through 4095 ms a cell is one millisecond. Above, an octave has 1024 cells (lo, hi] whose edge hi is a multiple of
// their width, so that 5 s and 10 s are edges; a cell is told as its middle, 0.05 % off at worst. The last cell takes
// everything from 2^22 ms. Behind these follow the octave cells of the shared block.

#pragma once

#include <bit>
#include <chrono>
#include <cstdint>

namespace event_metrics::inline v0::record {

inline constexpr unsigned exact_cells = 4096;  ///< one per millisecond
inline constexpr unsigned cells_per_octave = 1024;
inline constexpr std::uint32_t longest_duration = 1U << 22U;                 ///< ms
inline constexpr unsigned fine_cells = exact_cells + 10 * cells_per_octave;  ///< 2^12 to 2^22 ms
inline constexpr unsigned octaves = 22;
inline constexpr unsigned cells_per_chunk = 64;
inline constexpr unsigned chunks_per_mid = 16;
inline constexpr unsigned octave_chunk = fine_cells / cells_per_chunk;  ///< the one chunk of octave cells
inline constexpr unsigned chunk_count = octave_chunk + 1;
inline constexpr unsigned cell_count = chunk_count * cells_per_chunk;
inline constexpr unsigned failed_cell = cell_count;      ///< a failure, which has no duration
inline constexpr unsigned beyond_cell = cell_count + 1;  ///< a duration beyond the range, on its way to the last cell
inline constexpr unsigned mids_per_header = fine_cells / cells_per_chunk / chunks_per_mid - 1;

/// Whole milliseconds, rounded down; a negative duration is 0, one beyond the range the longest.
constexpr std::uint32_t whole_milliseconds(std::chrono::nanoseconds duration) noexcept {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (ms <= 0) return 0;
  return ms >= longest_duration ? longest_duration : static_cast<std::uint32_t>(ms);
}

/// The cell of `ms`, which is at most longest_duration.
constexpr unsigned cell_of(std::uint32_t ms) noexcept {
  if (ms < exact_cells) return ms;
  const std::uint32_t x = ms == exact_cells ? ms : ms - 1;  // (lo, hi]: the edge belongs to the cell below it
  const auto octave = static_cast<unsigned>(std::bit_width(x)) - 1;
  return exact_cells + (octave - 12) * cells_per_octave + ((x >> (octave - 10)) - cells_per_octave);
}

/// The same of a duration, with a shorter way for one that is exact: 10^6 = 2^6 * 15625, and 32 bits are enough. One
/// beyond the range is told apart, to be counted as such.
constexpr unsigned cell_of(std::chrono::nanoseconds duration) noexcept {
  const auto ns = static_cast<std::uint64_t>(duration.count());
  if (ns < exact_cells * std::uint64_t{1'000'000}) [[likely]]
    return static_cast<std::uint32_t>(ns >> 6U) / 15'625U;
  return duration > std::chrono::milliseconds{longest_duration} ? beyond_cell : cell_of(whole_milliseconds(duration));
}

constexpr unsigned octave_of(std::uint32_t ms) noexcept { return static_cast<unsigned>(std::bit_width(ms | 1U)) - 1; }

/// The milliseconds that a cell, fine or octave, is told as.
constexpr std::uint32_t value_of(unsigned cell) noexcept {
  if (cell < exact_cells) return cell;
  if (cell < fine_cells) {
    const unsigned octave = 12 + (cell - exact_cells) / cells_per_octave;
    const unsigned step = (cell - exact_cells) % cells_per_octave;
    const std::uint32_t width = 1U << (octave - 10);
    return (cells_per_octave + step + 1) * width - width / 2;
  }
  const unsigned octave = cell - fine_cells;
  return octave == 0 ? 1 : 3U << (octave - 1);
}

/// The octave cell for what a fine cell holds.
constexpr unsigned coarse_cell(unsigned cell) noexcept { return fine_cells + octave_of(value_of(cell)); }

}  // namespace event_metrics::inline v0::record
