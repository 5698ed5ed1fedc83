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
  std::uint32_t touched;  ///< 1 once net has been written
};

/// Where a URL was found lies the slot of its endpoint, most likely: one hint for each 32 bytes of address space,
/// modulo their number. What a hint says is compared before it is believed.
inline constexpr std::size_t hint_count = 512;

/// Behind it, in the same lines, the address of the thread's header for each endpoint; nullptr while there is none. The
/// owner alone writes, but for the ring.
struct Block {
  std::uint32_t owner;  ///< 1 while a thread has it
  std::uint32_t next;   ///< older block
  Tasks tasks;
  std::uint64_t unused[5];
  std::uint32_t hint[hint_count];  ///< see EndpointTable::hinted()
  Ring ring;
};
static_assert(sizeof(Block) % 64 == 0);

/// The block of who has none: no hint, and the first place of its ring is never free. Nobody writes to it.
inline constinit Block no_block{.owner = 1, .next = 0, .tasks = {}, .unused = {}, .hint = {}, .ring = {{1}, 0, 0, {}}};

}  // namespace event_metrics::inline v0::record
