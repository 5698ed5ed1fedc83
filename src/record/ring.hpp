// record/ring.hpp - a thread's latest deliveries, on their way to the flushing thread.
//
// A service does other work between two calls, and then finds nothing of what it counts with in its caches. An entry
// here is written where the last one was, and nothing is read that other calls have not read: a call need not wait for
// the memory of its endpoint's cells. The flushing thread takes entries out by making them 0, and counts them. Where
// it comes too late a place is still taken; then the thread counts in cells of its own.

#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "record/cells.hpp"

namespace event_metrics::inline v0::record {

inline constexpr std::uint32_t ring_entries = 1024;

inline constexpr unsigned entry_cell_bits = std::bit_width(beyond_cell);

/// The most endpoints that entries can tell apart. All ones, so that it is the mask of a spelling's number too.
inline constexpr std::uint32_t most_endpoints = (1U << (32 - entry_cell_bits)) - 1;

/// Never 0.
constexpr std::uint32_t entry_of(std::uint32_t endpoint, unsigned cell) noexcept {
  return (endpoint + 1) << entry_cell_bits | cell;
}
constexpr std::uint32_t endpoint_of(std::uint32_t entry) noexcept { return (entry >> entry_cell_bits) - 1; }
constexpr unsigned cell_of_entry(std::uint32_t entry) noexcept { return entry & ((1U << entry_cell_bits) - 1); }

/// Relaxed throughout: an entry is the whole message, and who has seen that a call is over sees its entry.
struct Ring {
  std::uint32_t entry[ring_entries];
  std::uint32_t head;  ///< where the block's next owner goes on; stored by the last one when it leaves
  std::uint32_t tail;  ///< the oldest entry; the flushing thread's own
  std::uint32_t unused[14];
};
static_assert(sizeof(Ring) % 64 == 0);

}  // namespace event_metrics::inline v0::record
