// record/reading.hpp - what was recorded so far, added up over threads.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "record/cells.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0::record {

/// All that was recorded for some endpoints so far, added up over threads: every word is read once, modulo 2^32.
class Reading {
 public:
  /// Begins again, for the next series; keeps its memory.
  void clear() noexcept;

  /// Throws std::bad_alloc.
  void add(const Recorder& recorder, std::uint32_t endpoint);

  std::uint32_t failed() const noexcept { return failed_; }

  /// False when nobody has any of the chunks from `index` on, a multiple of chunks_per_mid, to the next multiple.
  bool has_chunks_from(unsigned index) const noexcept;

  /// Adds up one chunk of cells; false when nobody has it.
  bool chunk(unsigned index, std::array<std::uint32_t, cells_per_chunk>& sums) const noexcept;

  std::size_t memory_bytes() const noexcept { return headers_.capacity() * sizeof(void*); }

 private:
  std::uint32_t failed_ = 0;
  std::array<std::uint32_t, cells_per_chunk> octaves_{};  // of the shared cells
  std::vector<Header*> headers_;
};

}  // namespace event_metrics::inline v0::record
