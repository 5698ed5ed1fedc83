// record/ring.hpp - what a thread has recorded last, on its way to the flushing thread.
//
// A service does other work between two calls, and then finds nothing of what it counts with in its caches. A word here
// is written where the last one was, and nothing is read that other calls have not read: a call need not wait for the
// memory of its row's cells. The flushing thread takes words out by making them 0, and counts them. Where it comes too
// late a place is still taken; then the thread counts in cells of its own.

#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "record/cells.hpp"

namespace event_metrics::inline v0::record {

inline constexpr std::uint32_t ring_words = 1024;

inline constexpr unsigned cell_bits = std::bit_width(beyond_cell + 1);

/// The most rows that words can tell apart.
inline constexpr std::uint32_t most_rows = 1U << (32 - cell_bits);

/// What goes into a ring for this cell of this row; never 0. The cell may be added later.
constexpr std::uint32_t word_of(std::uint32_t row, unsigned cell) noexcept { return (row << cell_bits) + 1 + cell; }
constexpr std::uint32_t row_of(std::uint32_t word) noexcept { return word >> cell_bits; }
constexpr unsigned cell_of_word(std::uint32_t word) noexcept { return word % (1U << cell_bits) - 1; }

/// Relaxed throughout: a word is the whole message, and who has seen that a call is over sees its word.
struct Ring {
  std::uint32_t word[ring_words];
  std::uint32_t head;  ///< where the block's next owner goes on; stored by the last one when it leaves
  std::uint32_t tail;  ///< the oldest word; the flushing thread's own
  std::uint32_t unused[14];
};
static_assert(sizeof(Ring) % 64 == 0);

}  // namespace event_metrics::inline v0::record
