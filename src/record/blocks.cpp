#include "record/blocks.hpp"

#include <algorithm>
#include <mutex>

#include "record/registry.hpp"
#include "record/thread.hpp"

namespace event_metrics::inline v0::record {
namespace {

// Where there is no memory there may be many blocks, most of them taken: not a look at each, or a lock, in every call.
bool tries_again() noexcept {
  constexpr unsigned tries_per_look = 64;
  return ++this_thread.late_tries % tries_per_look == 0;
}

}  // namespace

Block* Blocks::meet(std::uint32_t slot, std::uint64_t id) noexcept {
  if (slot == lane_count || this_thread.closed) return nullptr;
  // A thread that has been met and has no block found no memory for one: now there may be some.
  Block* const block = this_thread.holdings->arenas[slot] == &arena_ ? late_block() : first_block(slot);
  if (block != nullptr) {
    std::uint32_t* const ring = block->ring.word;
    this_thread.lane(slot) = {id, block, ring + block->ring.head, ring + ring_words};
  }
  return block;
}

Block* Blocks::first_block(std::uint32_t slot) noexcept {
  const bool had_no_memory = this_thread.late_tries != 0 && this_thread.holdings == &no_holdings;
  if (had_no_memory && !tries_again()) return nullptr;
  Registry& registry = Registry::instance();
  const std::lock_guard lock{registry.mutex()};
  if (!registry.watch_this_thread()) {
    this_thread.late_tries = std::max(this_thread.late_tries, 1U);
    return nullptr;
  }
  this_thread.lane(slot) = Lane{};  // an earlier client's, or the parent's where no handler has seen the fork
  this_thread.holdings->arenas[slot] = &arena_;
  Block* const block = left_block();
  return block != nullptr ? block : new_block();
}

Block* Blocks::late_block() noexcept {
  if (Block* const block = new_block()) return block;
  return tries_again() ? left_block() : nullptr;
}

Block* Blocks::left_block() noexcept {
  Block* found = nullptr;
  for_each_block(arena_, [&found](Block& block) {
    std::uint32_t free = 0;
    // Acquire: pairs with Registry::thread_ends(), our counts go on from its owner's last.
    if (found == nullptr && std::atomic_ref{block.owner}.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                                                                 std::memory_order_relaxed)) {
      found = &block;
    }
  });
  return found;
}

Block* Blocks::new_block() noexcept {
  const std::uint32_t line = arena_.take(lines);
  if (line == 0) return nullptr;
  link(line);
  return &arena_.at<Block>(line);
}

void Blocks::link(std::uint32_t line) noexcept {
  Block& block = arena_.at<Block>(line);
  store(block.owner, 1U, std::memory_order_relaxed);  // not published yet
  std::atomic_ref newest{head(arena_).newest_block};
  std::uint32_t next = newest.load(std::memory_order_relaxed);
  do {
    store(block.next, next, std::memory_order_relaxed);
    // Release: whoever finds the block finds its link.
  } while (!newest.compare_exchange_weak(next, line, std::memory_order_release, std::memory_order_relaxed));
}

}  // namespace event_metrics::inline v0::record
