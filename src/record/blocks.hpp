// record/blocks.hpp - how a thread comes to a block of its own, and one that has ended leaves it to the next.

#pragma once

#include <cstdint>

#include "record/arena.hpp"
#include "record/layout.hpp"

namespace event_metrics::inline v0::record {

/// The blocks of one client. Any thread.
class Blocks {
 public:
  /// Each has headers for so many rows.
  Blocks(Arena& arena, std::uint32_t rows) noexcept : arena_{arena}, lines_{lines(rows)} {}

  static std::uint32_t lines(std::uint32_t rows) noexcept;

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
  const std::uint32_t lines_;
};

}  // namespace event_metrics::inline v0::record
