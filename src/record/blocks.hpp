// record/blocks.hpp - how a thread comes to a block of its own, and one that has ended leaves it to the next.

#pragma once

#include <cstdint>

#include "record/arena.hpp"
#include "record/layout.hpp"

namespace event_metrics::inline v0::record {

/// The blocks of one client. Any thread.
class Blocks {
 public:
  explicit Blocks(Arena& arena) noexcept : arena_{arena} {}

  static constexpr std::uint32_t lines = lines_of(sizeof(Block));

  /// Gives the calling thread its lane of the client in `slot`, which has this id, and the block that it leads to, at
  /// most with a short wait for the registry's lock. nullptr where the thread cannot have any.
  Block* meet(std::uint32_t slot, std::uint64_t id) noexcept;

  /// Takes on the block that begins on this line. It has an owner.
  void link(std::uint32_t line) noexcept;

 private:
  Block* first_block(std::uint32_t slot) noexcept;
  Block* late_block() noexcept;
  Block* left_block() noexcept;
  Block* new_block() noexcept;

  Arena& arena_;
};

}  // namespace event_metrics::inline v0::record
