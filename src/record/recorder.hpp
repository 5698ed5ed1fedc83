// record/recorder.hpp - what a client has recorded: rows of cells, written by threads that know nothing of each other.
//
// A thread writes what it records into a ring, from which the flushing thread counts it in cells; where that is late,
// the thread counts in cells of its own. Counts only grow and are never reset, so a reader takes differences and a
// writer needs no lock prefix. A thread that has neither (no memory, too many clients, past its destructors) adds to
// the client's shared cells, where a duration is known only by its octave.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "record/arena.hpp"
#include "record/blocks.hpp"
#include "record/budget.hpp"
#include "record/layout.hpp"
#include "record/memory_ahead.hpp"
#include "record/thread.hpp"
#include "record/writer.hpp"

namespace event_metrics::inline v0::record {

class Recorder {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::uint32_t rows;
    std::uint32_t further_lines;  ///< of the arena, for whoever finds rows: from further_line() on
    Budget::Limits memory;
  };

  /// Makes in a forked child what the client needs there beside the recorder, and leaves what it had to the parent if
  /// that is the `first` call. False where something is missing. Called under the registry's lock, when everything is
  /// zero again.
  using Reborn = std::function<bool(bool first)>;

  /// With `arena` from new_arena(limits), so that its owner knows where it lies before. Both throw std::bad_alloc.
  Recorder(const Limits& limits, Reborn reborn, std::unique_ptr<Arena> arena);
  static std::unique_ptr<Arena> new_arena(const Limits& limits) { return std::make_unique<Arena>(limits.memory.bytes); }
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Any thread. Nothing here waits, locks, allocates or enters the kernel once its thread has been seen.

  /// Relaxed: a lane gets a client's id after its thread has met the client, under the lock that it began under.
  static bool is_known(const Lane& lane, Head& head) noexcept {
    return lane.id == load(head.id, std::memory_order_relaxed);
  }
  /// The calling thread's, known or not, unless the client is the first of the process.
  Lane& further_lane() const noexcept { return this_thread.holdings->lanes[slot_]; }
  /// nullptr where the thread cannot have any. May lock once, and takes lines.
  Block* own_block() noexcept;

  /// For the calling thread, whose own_block() is `own`; `cell` is a cell, tally_code or beyond_cell.
  void count(const Block* own, std::uint32_t row, unsigned cell) noexcept;
  void active_task(std::int64_t change) noexcept;

  /// In a forked child: begins there, see Reborn. Where that fails it is tried again by a later call, and until then
  /// all threads count in the shared cells. May lock once; never waits once the first call is over.
  bool begin_in_child() noexcept;
  /// Between two tries.
  static constexpr std::chrono::milliseconds retry_pause{100};

  /// Whether threads may have places of their own: false in a forked child that has not begun.
  bool begun() const noexcept { return load(head_.id, std::memory_order_acquire) != 0; }  // pairs with begin()

  /// False in a forked child that has not used this recorder: what its client has is its parent's.
  bool is_prepared() const noexcept { return load(head_.prepared, std::memory_order_acquire) != 0; }  // as begun()

  // One thread at a time: the flushing one.

  static std::size_t fixed_bytes(const Limits& limits) noexcept;
  static std::uint32_t further_line(const Limits& limits) noexcept { return line_behind_shared(limits.rows); }

  Budget& budget() noexcept { return budget_; }

  /// Counts what is in the threads' rings: of each what was there before the call.
  void drain() noexcept;

  /// Does what must be done now and then: drains, and makes memory ready. Returns when it wants to be done again, if
  /// the threads go on as they did; long from now while they record nothing.
  Clock::time_point tend(Clock::time_point now) noexcept;

  /// Makes memory ready for the callers; returns whether they have taken any since the last time.
  bool write_ahead() noexcept { return memory_ahead_.look(); }

  std::size_t memory_bytes() const noexcept { return std::size_t{arena_->written()} * Arena::line_bytes; }
  std::uint32_t taken_lines() const noexcept { return arena_->taken(); }
  const Arena& arena() const noexcept { return *arena_; }

  /// Calls visit(row) for each of the first `rows` in which anything was counted since the last time; for some more
  /// than once. Take before reading.
  template <class Visit>
  void take_marks(std::uint32_t rows, Visit visit) noexcept;

  struct ActiveTasks {
    std::int64_t count;
    bool touched;  ///< whether any task was ever counted
  };
  ActiveTasks active_tasks() const noexcept;

  /// Values drained so far that were counted as the greatest there is.
  std::uint64_t beyond_range() const noexcept {
    return load(shared_tasks(*arena_).beyond_range, std::memory_order_relaxed);  // a figure, orders nothing
  }

 private:
  Lane& lane() const noexcept { return this_thread.lane(slot_); }
  void begin() noexcept;
  void prepare() noexcept;
  bool is_due() const noexcept;
  std::uint32_t take_from_ring(Ring& ring) noexcept;
  std::int64_t sum_tasks(bool& touched) const noexcept;

  Head& head_;
  std::uint32_t slot_ = lane_count;
  const Limits limits_;
  const Reborn reborn_;
  const std::unique_ptr<Arena> arena_;
  Writer writer_;
  Blocks blocks_;
  Budget budget_;
  MemoryAhead memory_ahead_;
  Block& drained_;             // counts what the rings held; the flushing thread's own
  std::uint32_t fullest_ = 0;  // the most that a ring held since the last tend()
  Clock::time_point tended_at_{};
};

template <class Visit>
void Recorder::take_marks(std::uint32_t rows, Visit visit) noexcept {
  const auto take = [&visit](std::uint8_t* marks, std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t place = 0; place < count; ++place) {
      std::uint8_t& mark = marks[place];
      // Acquire: what was counted before the mark was set is read after this. Looking first spares idle lines the
      // write.
      if (load(mark, std::memory_order_relaxed) != 0 &&
          std::atomic_ref{mark}.exchange(0, std::memory_order_acquire) != 0) {
        visit(first + place);
      }
    }
  };
  take(&arena_->at<std::uint8_t>(shared_marks_line(limits_.rows)), 0, rows);
  for_each_block(*arena_, [&](Block& block) {
    for (std::uint32_t first = 0; first < rows; first += Rows::count) {
      Rows* const here = load(block.rows[first / Rows::count], std::memory_order_acquire);  // pairs with Writer::grow()
      if (here != nullptr) take(here->mark, first, std::min(Rows::count, rows - first));
    }
  });
}

}  // namespace event_metrics::inline v0::record
