// record/writer.hpp - where one thing that was recorded is counted.
//
// In this order, each where the one before has no place for it:
//
//   into_ring()          a word behind the thread's last one, which the flushing thread counts later
//   into_own_cells()     the thread's cells of the row, where they are there already and of values below 1024
//   into_new_cells()     the same after lines have been taken for them
//   into_shared_cells()  the client's, by octave; where a thread has no block it begins here

#pragma once

#include <cstddef>
#include <cstdint>

#include "record/arena.hpp"
#include "record/layout.hpp"
#include "record/thread.hpp"

namespace event_metrics::inline v0::record {

/// Nothing here waits, locks, allocates or enters the kernel.
class Writer {
 public:
  Writer(Arena& arena, std::uint32_t rows) noexcept : arena_{arena}, shared_marks_line_{shared_marks_line(rows)} {}

  /// For the thread whose lane it is. `row_word` is word_of(row, 0), `cell` a cell, tally_code or beyond_cell.
  void into_ring(Lane& lane, std::uint32_t row_word, unsigned cell) noexcept;
  /// For the block's one writer.
  void into_own_cells(Block& block, std::uint32_t row_word, unsigned cell) noexcept;
  /// Any thread.
  void into_shared_cells(std::uint32_t row, unsigned cell) noexcept;

  static void into_own_tasks(Block& block, std::int64_t change) noexcept;
  void into_shared_tasks(std::int64_t change) noexcept;

 private:
  void into_new_cells(Block& block, std::uint32_t row, unsigned cell) noexcept;
  static void add_one(Rows& rows, std::size_t place, std::uint64_t& count) noexcept;
  static std::uint64_t* near_count(Rows& rows, std::size_t place, unsigned cell) noexcept;
  std::uint64_t* new_count(Rows& rows, std::size_t place, unsigned cell) noexcept;
  Mid* new_mid(Header& header, unsigned number) noexcept;
  template <class T>
  T* grow(T*& link) noexcept;
  unsigned within_range(unsigned cell) noexcept;

  Arena& arena_;
  const std::uint32_t shared_marks_line_;
};

inline void Writer::into_ring(Lane& lane, std::uint32_t row_word, unsigned cell) noexcept {
  std::uint32_t* const place = lane.place;
  if (load(*place, std::memory_order_relaxed) != 0) return into_own_cells(*lane.block, row_word, cell);
  store(*place, row_word + cell, std::memory_order_relaxed);  // see Ring
  // The flushing thread has written there last: by the time we get there its line should have come.
  constexpr std::size_t two_lines = 2 * Arena::line_bytes;
  __builtin_prefetch(reinterpret_cast<const std::byte*>(place) + two_lines, 1);
  lane.place = place + 1 == lane.end ? lane.end - ring_words : place + 1;
}

inline void Writer::into_own_cells(Block& block, std::uint32_t row_word, unsigned cell) noexcept {
  const std::uint32_t row = row_of(row_word);
  Rows* const rows = load(block.rows[row / Rows::count], std::memory_order_relaxed);
  if (rows != nullptr) [[likely]] {
    const std::size_t place = row % Rows::count;
    if (std::uint64_t* const count = near_count(*rows, place, cell)) [[likely]]
      return add_one(*rows, place, *count);
  }
  into_new_cells(block, row, cell);
}

inline void Writer::add_one(Rows& rows, std::size_t place, std::uint64_t& count) noexcept {
  add_alone(count, std::uint64_t{1});
  // Release: after the count, see Recorder::take_marks(). A byte, since an unconditional store is all that marking may
  // be.
  store(rows.mark[place], std::uint8_t{1}, std::memory_order_release);
}

inline std::uint64_t* Writer::near_count(Rows& rows, std::size_t place, unsigned cell) noexcept {
  if (cell >= chunks_per_mid * cells_per_chunk) return cell == tally_code ? &rows.tally[place] : nullptr;
  Header* const header = load(rows.header[place], std::memory_order_relaxed);
  if (header == nullptr) return nullptr;
  Chunk* const chunk = load(header->near.chunk[cell / cells_per_chunk], std::memory_order_relaxed);
  return chunk != nullptr ? &chunk->cell[cell % cells_per_chunk] : nullptr;
}

inline void Writer::into_own_tasks(Block& block, std::int64_t change) noexcept {
  store(block.tasks.touched, 1U, std::memory_order_relaxed);  // ordered by net
  // Release: whoever sees this change sees what this thread did before it, the increment before the decrement.
  store(block.tasks.net, load(block.tasks.net, std::memory_order_relaxed) + change, std::memory_order_release);
}

}  // namespace event_metrics::inline v0::record
