// record/block.hpp - what one thread has of a client, in the client's arena.

#pragma once

#include <cstddef>
#include <cstdint>

#include "record/cells.hpp"
#include "record/ring.hpp"

namespace event_metrics::inline v0::record {

/// Active tasks: increments less decrements.
struct Tasks {
  std::int64_t net;
  std::uint32_t touched;       ///< 1 once net has been written
  std::uint64_t beyond_range;  ///< of all threads, in the shared one: durations that were too long
};

/// A service keeps its URLs where they are. So of each place of 32 bytes, modulo this many, a thread remembers how the
/// last URL that began there spelled its endpoint: a guess, which is compared before it is believed.
inline constexpr std::size_t guess_count = 2048;

/// Spellings that a guess can say.
inline constexpr std::uint32_t most_guessed = 1U << 16U;

/// Behind it, in the same lines, the address of the thread's header for each endpoint; nullptr while there is none. The
/// owner alone writes, but for marks and entries, which the flushing thread takes.
struct Block {
  std::uint32_t owner;  ///< 1 while a thread has it
  std::uint32_t next;   ///< older block
  Tasks tasks;
  std::uint64_t unused[4];
  std::uint16_t guess[guess_count];  ///< for EndpointTable::entry_if()
  Marks marks;
  Ring ring;
};
static_assert(sizeof(Block) % 64 == 0);

/// Where a block has the address of its header for `endpoint`.
inline Header*& header_of(Block& block, std::size_t endpoint) noexcept {
  return reinterpret_cast<Header**>(&block + 1)[endpoint];
}

inline std::uint8_t& mark_of(Marks& marks, std::uint32_t endpoint) noexcept {
  return marks.mark[endpoint % Marks::count];
}

}  // namespace event_metrics::inline v0::record
