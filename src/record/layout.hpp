// record/layout.hpp - what lies where in a client's arena.
//
// Plain words on zeroed lines, reached through atomic_ref. What counts has 64 bits, which never wrap: how late a reader
// may come is a question of freshness alone.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "record/arena.hpp"
#include "record/cells.hpp"
#include "record/ring.hpp"

namespace event_metrics::inline v0::record {

/// Random words that nobody outside the process knows, for whoever finds rows by a hash.
struct alignas(16) Seed {
  std::uint32_t word[8];
};

/// Line 0. A forked child finds zeros.
struct Head {
  std::uint64_t id;            ///< of the client; 0 until it has begun in this process
  std::uint32_t newest_block;  ///< head of the list of blocks
  std::uint32_t prepared;      ///< 1 once there is all that counting needs in this process
  std::int64_t next_try;       ///< of beginning, in the clock's ticks
  Seed seed;
};

/// Active tasks: increments less decrements.
struct Tasks {
  std::int64_t net;
  std::uint32_t touched;       ///< 1 once net has been written
  std::uint64_t beyond_range;  ///< of all threads, in the shared one: values that were too great
};

/// One row's place for threads that have none of their own. Any thread adds.
struct SharedCells {
  std::uint64_t tally;
  std::uint64_t octave[octaves];  // whole lines: two rows never share one
};

struct Chunk {
  std::uint64_t cell[cells_per_chunk];
};

struct Mid {
  Chunk* chunk[chunks_per_mid];
};

/// The way to the cells that are not exact.
struct Far {
  Mid* mid[far_mids];
  std::uint64_t unused[5];
};

/// One thread's cells of one row: the chunks of values below 1024 at once, those of the other exact ones by way of a
/// Mid, the rest by way of a Far.
struct Header {
  Mid near;
  Mid* mid[exact_mids - 1];
  Far* far;
  std::uint64_t unused[4];
};

/// What one thread has of neighbouring rows: of each a tally, and a header where something was observed.
struct Rows {
  static constexpr std::uint32_t count = 256;

  Header* header[count];  ///< nullptr while there is none
  std::uint64_t tally[count];
  /// 1 for a row that was counted since the marks were last taken. Apart from what they mark, or taking them would cost
  /// the next call the line that it reads.
  std::uint8_t mark[count];
};

/// So many numbers in a thread's block are left to whoever finds rows; the recorder looks at none of them.
inline constexpr std::size_t hint_count = 2048;

/// What one thread has of a client. The owner alone writes, but for marks and ring, which the flushing thread takes
/// from.
struct Block {
  Rows* rows[most_rows / Rows::count];  ///< nullptr while there are none; first, for a call has their address sooner
  std::uint32_t owner;                  ///< 1 while a thread has it
  std::uint32_t next;                   ///< older block
  Tasks tasks;
  std::uint64_t unused[4];
  std::uint16_t hint[hint_count];
  Ring ring;
};

static_assert(sizeof(Head) <= Arena::line_bytes && sizeof(Block) % Arena::line_bytes == 0);
static_assert(sizeof(SharedCells) == 320 && sizeof(Header) == 192 && sizeof(Rows) == 4352);
static_assert(sizeof(Far) == 256 && sizeof(Mid) == 128 && sizeof(Chunk) == 512);

// The first lines of an arena: a Head, then for threads without a block their Tasks, and for each row a SharedCells and
// a mark.
inline constexpr std::uint32_t tasks_line = 1;
inline constexpr std::uint32_t shared_line = 2;
constexpr std::uint32_t shared_marks_line(std::uint32_t rows) noexcept {
  return shared_line + rows * lines_of(sizeof(SharedCells));
}
/// The first line behind them.
constexpr std::uint32_t line_behind_shared(std::uint32_t rows) noexcept {
  return shared_marks_line(rows) + lines_of(rows);
}

inline Head& head(const Arena& arena) noexcept { return arena.at<Head>(0); }
inline Tasks& shared_tasks(const Arena& arena) noexcept { return arena.at<Tasks>(tasks_line); }
inline SharedCells& shared_cells(const Arena& arena, std::uint32_t row) noexcept {
  return (&arena.at<SharedCells>(shared_line))[row];
}

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

/// Calls visit(block) for what all threads have, and what threads that have ended had.
template <class Visit>
void for_each_block(const Arena& arena, Visit visit) {
  // Acquire: pairs with Blocks::link(). Older links were published with the blocks that hold them.
  std::uint32_t line = load(head(arena).newest_block, std::memory_order_acquire);
  while (line != 0) {
    Block& block = arena.at<Block>(line);
    visit(block);
    line = load(block.next, std::memory_order_relaxed);
  }
}

}  // namespace event_metrics::inline v0::record
