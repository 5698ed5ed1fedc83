// record/memory_ahead.hpp - keeps memory ready ahead of those who record, so that no call meets a page for the first
// time.

#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "record/arena.hpp"
#include "record/budget.hpp"

namespace event_metrics::inline v0::record {

/// Used by one thread at a time.
class MemoryAhead {
 public:
  /// Keeps 2 MiB ready, and `least_ready` lines, as far as the budget goes. All that is passed outlives this.
  MemoryAhead(Arena& arena, const Budget& budget, std::uint32_t least_ready) noexcept
      : arena_{arena}, budget_{budget}, least_ready_{std::max(usually_ready, least_ready)} {}

  /// All that is taken so far is not the callers'.
  void begin() noexcept { looked_at_ = arena_.taken(); }

  /// Returns whether any was taken since the last look, and makes twice that ready.
  bool look() noexcept {
    const std::uint32_t taken = arena_.taken();
    const std::uint32_t used = taken - std::exchange(looked_at_, taken);
    write(std::max(least_ready_, 2 * used));
    return used != 0;
  }

  /// Makes good what was taken since.
  void keep_ready() noexcept { write(least_ready_); }

 private:
  static constexpr std::uint32_t usually_ready = (2U << 20U) / Arena::line_bytes;

  void write(std::uint32_t ready) noexcept { arena_.write_ahead(ready, budget_.most_lines()); }

  Arena& arena_;
  const Budget& budget_;
  const std::uint32_t least_ready_;
  std::uint32_t looked_at_ = 0;  // lines taken then
};

}  // namespace event_metrics::inline v0::record
