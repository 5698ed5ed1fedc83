// record/budget.hpp - the memory that a client may take for what is counted, which recording and reading share.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "record/arena.hpp"

namespace event_metrics::inline v0::record {

/// A reader keeps what it has read in memory of its own. So of each line that is taken, and has not been read, there
/// must be left what the reader may want for it. Used by one thread at a time.
class Budget {
 public:
  struct Limits {
    std::size_t bytes;         ///< of arena and reader together
    std::size_t reader_share;  ///< bytes that the reader wants at most for each byte that it reads the first time
  };

  Budget(const Arena& arena, const Limits& limits) noexcept
      : arena_{arena}, limits_{limits}, reader_bytes_{limits.bytes} {}

  std::size_t bytes() const noexcept { return limits_.bytes; }

  /// From now on there is a reader, which has this much, and has no memory to take for what is there so far. Until then
  /// nothing can be had.
  void begin(std::size_t reader_bytes) noexcept {
    reader_bytes_ = reader_bytes;
    read_ = reading_ = arena_.taken();
  }

  /// All that is taken now is about to be read.
  void begin_reading() noexcept { began_at_ = arena_.taken(); }
  /// The reader has `reader_bytes` now, and has read `all` of it or not. A thread may have taken a line before a
  /// reading and have counted in it after: so a line counts as read once two whole readings have begun since it was
  /// taken.
  void end_reading(bool all, std::size_t reader_bytes) noexcept {
    reader_bytes_ = reader_bytes;
    if (all) read_ = std::exchange(reading_, began_at_);
  }

  /// How many lines of the arena may be written in all.
  std::uint32_t most_lines() const noexcept {
    const std::uint32_t written = arena_.written();
    const std::size_t per_line = limits_.reader_share * Arena::line_bytes;
    const std::size_t unread = (written - std::min(written, read_)) * per_line;
    const std::size_t taken = std::size_t{written} * Arena::line_bytes + reader_bytes_ + unread;
    const std::size_t room = limits_.bytes - std::min(limits_.bytes, taken);
    return written + static_cast<std::uint32_t>(room / (Arena::line_bytes + per_line));
  }

 private:
  const Arena& arena_;
  const Limits limits_;
  std::size_t reader_bytes_;
  std::uint32_t read_ = 0;     // lines whose content has been read
  std::uint32_t reading_ = 0;  // those that had been taken when the last reading began
  std::uint32_t began_at_ = 0;
};

}  // namespace event_metrics::inline v0::record
