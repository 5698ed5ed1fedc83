// record/cells.hpp - how a duration becomes a cell, and the records that hold the cells in an arena.
//
// Through 4095 ms a cell is one millisecond. Above, an octave has 1024 cells (lo, hi] whose edge hi is a multiple of
// their width, so that 5 s and 10 s are edges; a cell is told as its middle, 0.05 % off at worst. The last cell takes
// everything from 2^22 ms. Behind these follow the octave cells of the shared block.

#pragma once

#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

#include "record/key_block.hpp"

namespace event_metrics::inline v0::record {

inline constexpr unsigned exact_cells = 4096;  ///< one per millisecond
inline constexpr unsigned cells_per_octave = 1024;
inline constexpr std::uint32_t longest_duration = 1U << 22U;                 ///< ms
inline constexpr unsigned fine_cells = exact_cells + 10 * cells_per_octave;  ///< 2^12 to 2^22 ms
inline constexpr unsigned failed_cell = fine_cells;                          ///< on its way to a cell: a failure,
inline constexpr unsigned beyond_cell = fine_cells + 1;                      ///< and a duration beyond the range
inline constexpr unsigned octaves = 22;
inline constexpr unsigned cells_per_chunk = 64;
inline constexpr unsigned chunks_per_mid = 16;
inline constexpr unsigned octave_chunk = fine_cells / cells_per_chunk;  ///< the one chunk of octave cells
inline constexpr unsigned chunk_count = octave_chunk + 1;
inline constexpr unsigned cell_count = chunk_count * cells_per_chunk;
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

// Everything below lies in an arena: plain words on zeroed lines, reached through atomic_ref. What counts has 64 bits,
// which never wrap: how late a reader may come is a question of freshness alone.

/// Line 0. A forked child finds zeros.
struct Head {
  std::uint64_t id;            ///< of the client; 0 until it has begun in this process
  std::uint32_t newest_block;  ///< head of the list of blocks
  std::uint32_t prepared;      ///< 1 once there is all that counting needs in this process
  std::int64_t next_try;       ///< of beginning, in the clock's ticks
  HashKey hash_key;            ///< of the table
};

/// Which endpoints have been counted since the marks were last taken: one byte for those with equal indices modulo
/// their number. Apart from what they mark, or taking them would cost the next call the line that it reads.
struct Marks {
  static constexpr std::uint32_t count = 1024;
  std::uint8_t mark[count];
};

/// One endpoint's place for threads that have none of their own. Any thread adds.
struct SharedCells {
  std::uint64_t failed;
  std::uint64_t octave[octaves];
  std::uint64_t unused[9];  // whole lines: two endpoints never share one
};

struct Chunk {
  std::uint64_t cell[cells_per_chunk];
};

struct Mid {
  Chunk* chunk[chunks_per_mid];
};

/// One thread's cells of one endpoint: the chunks below 1024 ms at once, the others by way of a Mid. Failure and error
/// are one word: nothing on the wire tells them apart.
struct Header {
  Mid near;
  Mid* mid[mids_per_header];
  std::uint64_t failed;
  std::uint64_t unused[2];
};

// The first lines of an arena: a Head, then for threads without a block their Tasks, their Marks, and a SharedCells for
// each endpoint.
inline constexpr std::uint32_t tasks_line = 1;
inline constexpr std::uint32_t marks_line = 2;
inline constexpr std::uint32_t shared_line = marks_line + sizeof(Marks) / 64;

static_assert(sizeof(Head) <= 64 && sizeof(SharedCells) == 256 && sizeof(Header) == 256 && sizeof(Mid) == 128 &&
              sizeof(Chunk) == 512);

/// A word that one thread writes and others read.
template <class Word>
Word load(Word& word, std::memory_order order) noexcept {
  return std::atomic_ref{word}.load(order);
}

template <class Word>
void store(Word& word, Word value, std::memory_order order) noexcept {
  std::atomic_ref{word}.store(value, order);
}

/// Adds to a word that no other thread writes: no lock prefix. Relaxed: the mark stored after it orders it.
template <class Word>
void add_alone(Word& word, Word change) noexcept {
  std::atomic_ref shared{word};
  shared.store(shared.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

}  // namespace event_metrics::inline v0::record
