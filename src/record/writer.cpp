#include "record/writer.hpp"

namespace event_metrics::inline v0::record {

[[gnu::noinline]] void Writer::into_new_cells(Block& block, std::uint32_t row, unsigned cell) noexcept {
  cell = within_range(cell);
  if (Rows* const rows = grow(block.rows[row / Rows::count])) {
    const std::size_t place = row % Rows::count;
    if (std::uint64_t* const count = new_count(*rows, place, cell)) return add_one(*rows, place, *count);
  }
  into_shared_cells(row, cell);
}

void Writer::into_shared_cells(std::uint32_t row, unsigned cell) noexcept {
  cell = within_range(cell);
  SharedCells& cells = shared_cells(arena_, row);
  std::uint64_t& count = cell == tally_code ? cells.tally : cells.octave[coarse_cell(cell) - fine_cells];
  std::atomic_ref{count}.fetch_add(1, std::memory_order_relaxed);  // ordered by the mark
  // An exchange, because a plain store would end the release sequence of the thread that marked before.
  std::uint8_t& mark = (&arena_.at<std::uint8_t>(shared_marks_line_))[row];
  std::atomic_ref{mark}.exchange(1, std::memory_order_release);
}

void Writer::into_shared_tasks(std::int64_t change) noexcept {
  Tasks& tasks = shared_tasks(arena_);
  store(tasks.touched, 1U, std::memory_order_relaxed);
  std::atomic_ref{tasks.net}.fetch_add(change, std::memory_order_release);  // both as into_own_tasks()
}

// A value beyond the range is counted as such, and in the last cell.
unsigned Writer::within_range(unsigned cell) noexcept {
  if (cell != beyond_cell) return cell;
  std::atomic_ref{shared_tasks(arena_).beyond_range}.fetch_add(1, std::memory_order_relaxed);  // orders nothing
  return fine_cells - 1;
}

std::uint64_t* Writer::new_count(Rows& rows, std::size_t place, unsigned cell) noexcept {
  if (cell == tally_code) return &rows.tally[place];
  Header* const header = grow(rows.header[place]);
  if (header == nullptr) return nullptr;
  const unsigned index = cell / cells_per_chunk;
  Mid* const mid = new_mid(*header, index / chunks_per_mid);
  Chunk* const chunk = mid != nullptr ? grow(mid->chunk[index % chunks_per_mid]) : nullptr;
  return chunk != nullptr ? &chunk->cell[cell % cells_per_chunk] : nullptr;
}

Mid* Writer::new_mid(Header& header, unsigned number) noexcept {
  if (number == 0) return &header.near;
  if (number < exact_mids) return grow(header.mid[number - 1]);
  Far* const far = grow(header.far);
  return far != nullptr ? grow(far->mid[number - exact_mids]) : nullptr;
}

template <class T>
T* Writer::grow(T*& link) noexcept {
  if (T* const there = load(link, std::memory_order_relaxed)) return there;  // only this thread writes it
  const std::uint32_t line = arena_.take(sizeof(T) / Arena::line_bytes);
  if (line == 0) return nullptr;
  store(link, &arena_.at<T>(line), std::memory_order_release);  // pairs with Reading, which may find the lines from now
  return &arena_.at<T>(line);
}

}  // namespace event_metrics::inline v0::record
