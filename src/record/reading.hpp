// record/reading.hpp - what was recorded so far, added up over threads.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "record/arena.hpp"
#include "record/layout.hpp"

namespace event_metrics::inline v0::record {

/// All that was recorded for some rows so far, added up over threads: every word is read once.
class Reading {
 public:
  /// Of one chunk's cells.
  using Sums = std::array<std::uint64_t, cells_per_chunk>;

  /// Begins again, for the next series; keeps its memory.
  void clear() noexcept;

  /// Throws std::bad_alloc.
  void add(const Arena& arena, std::uint32_t row);

  std::uint64_t tally() const noexcept { return tally_; }

  /// False when nobody has any of the chunks from `index` on, a multiple of chunks_per_mid, to the next multiple.
  bool has_chunks_from(unsigned index) const noexcept;

  /// Adds up one chunk of cells; false when nobody has it.
  bool chunk(unsigned index, Sums& sums) const noexcept;

  std::size_t memory_bytes() const noexcept { return headers_.capacity() * sizeof(void*); }

 private:
  std::uint64_t tally_ = 0;
  Sums octaves_{};  // of the shared cells
  std::vector<Header*> headers_;
};

}  // namespace event_metrics::inline v0::record
