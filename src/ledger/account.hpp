// ledger/account.hpp - what a ledger keeps of one series.
//
// The balances of the timing lie in the ledger's arena, by way of lines as record::Header leads to counts by addresses:
// an account that has no duration of more than 4095 units pays one word for the ways to all others.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "record/arena.hpp"
#include "record/cells.hpp"
#include "record/layout.hpp"

namespace event_metrics::inline v0::ledger {

struct Balance {
  std::uint64_t recorded;
  std::uint64_t done;   ///< accepted, left out or given up
  std::uint64_t round;  ///< what had been recorded when the last round began that found something owed here

  std::uint64_t owed() const noexcept { return recorded - done; }
  // One that owed nothing keeps that of an older round, which is no more than what is done.
  std::uint64_t owed_of_round() const noexcept { return round > done ? round - done : 0; }
};

struct Chunk {
  Balance cell[record::cells_per_chunk];
};

/// Sixteen chunks by line, and for each the cells that owe, one bit a cell.
struct Mid {
  std::uint32_t chunk[record::chunks_per_mid];
  std::uint64_t owing[record::chunks_per_mid];
};
inline constexpr unsigned mid_count = record::octave_chunk / record::chunks_per_mid + 1;

/// The Mids of the cells that are neither exact nor an octave's.
struct Far {
  std::uint32_t mid[record::far_mids];
};
constexpr bool is_far(unsigned chunk) noexcept {
  return chunk >= record::exact_mids * record::chunks_per_mid && chunk < record::octave_chunk;
}

struct Account {
  static constexpr std::uint32_t no_row = ~std::uint32_t{0};

  Balance observed{};
  Balance tallied{};
  std::uint64_t joined_round = 0;   ///< the last one that the counts have joined
  std::uint64_t announced = 0;      ///< a count, since an announcement can be taken back
  std::uint64_t round_timings = 0;  ///< what the round still owes
  /// Of the exact cells and, at the end, of the octave cells.
  std::array<std::uint32_t, record::exact_mids + 1> mid{};
  std::uint32_t far = 0;
  std::uint32_t newest_row = no_row;
};

/// What the octave cells of a series take: they need no cell of the recorder's, so the budget knows nothing of them.
inline constexpr std::size_t octave_bytes = sizeof(Mid) + sizeof(Chunk);

/// The most bytes that a byte of a recorder's cells can come to here: a cell has three words instead of one. The ways
/// to cells come to less: of a header's bytes to one and a few (a Mid, and the address that a reading keeps), of a
/// Mid's to one and a half, of a Far's to a half.
inline constexpr std::size_t bytes_per_recorded = 3;
static_assert(sizeof(Chunk) <= bytes_per_recorded * sizeof(record::Chunk));
static_assert(sizeof(Mid) <= bytes_per_recorded * sizeof(record::Mid));
static_assert(sizeof(Mid) + 2 * sizeof(void*) <= bytes_per_recorded * sizeof(record::Header));
static_assert(record::lines_of(sizeof(Far)) * record::Arena::line_bytes <= bytes_per_recorded * sizeof(record::Far));

}  // namespace event_metrics::inline v0::ledger
