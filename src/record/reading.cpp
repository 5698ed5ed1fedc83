#include "record/reading.hpp"

#include <algorithm>

namespace event_metrics::inline v0::record {
namespace {

// Of the chunk with this index; nullptr when its thread has none.
Mid* mid_of(Header& header, unsigned index) noexcept {
  const unsigned number = index / chunks_per_mid;
  if (number == 0) return &header.near;
  // Acquire, all three: pairs with Writer::grow().
  if (number < exact_mids) return load(header.mid[number - 1], std::memory_order_acquire);
  Far* const far = load(header.far, std::memory_order_acquire);
  return far != nullptr ? load(far->mid[number - exact_mids], std::memory_order_acquire) : nullptr;
}

}  // namespace

void Reading::clear() noexcept {
  headers_.clear();
  octaves_.fill(0);
  tally_ = 0;
}

void Reading::add(const Arena& arena, std::uint32_t row) {
  // Relaxed, as all counts: take_marks() has ordered them.
  SharedCells& shared = shared_cells(arena, row);
  tally_ += load(shared.tally, std::memory_order_relaxed);
  for (unsigned octave = 0; octave < octaves; ++octave) {
    octaves_[octave] += load(shared.octave[octave], std::memory_order_relaxed);
  }
  for_each_block(arena, [&](Block& block) {
    // Acquire, both: pairs with Writer::grow().
    Rows* const rows = load(block.rows[row / Rows::count], std::memory_order_acquire);
    if (rows == nullptr) return;
    tally_ += load(rows->tally[row % Rows::count], std::memory_order_relaxed);
    Header* const header = load(rows->header[row % Rows::count], std::memory_order_acquire);
    if (header != nullptr) headers_.push_back(header);
  });
}

bool Reading::has_chunks_from(unsigned index) const noexcept {
  if (index == 0 || index == octave_chunk) return true;
  return std::ranges::any_of(headers_, [index](Header* header) { return mid_of(*header, index) != nullptr; });
}

bool Reading::chunk(unsigned index, Sums& sums) const noexcept {
  if (index == octave_chunk) {
    sums = octaves_;
    return true;
  }
  bool found = false;
  for (Header* const header : headers_) {
    Mid* const mid = mid_of(*header, index);
    if (mid == nullptr) continue;
    Chunk* const chunk =
        load(mid->chunk[index % chunks_per_mid], std::memory_order_acquire);  // pairs with Writer::grow()
    if (chunk == nullptr) continue;
    if (!found) sums.fill(0);
    for (unsigned cell = 0; cell < cells_per_chunk; ++cell) {
      sums[cell] += load(chunk->cell[cell], std::memory_order_relaxed);
    }
    found = true;
  }
  return found;
}

}  // namespace event_metrics::inline v0::record
