// record/recorder.hpp - counts deliveries into per-thread cells that one thread writes and the flushing thread reads.
//
// A thread writes what it records into a ring, from which the flushing thread counts it in cells; where that is late,
// the thread counts in cells of its own. Counts only grow and are never reset, so a reader takes differences and a
// writer needs no lock prefix. A thread that has neither (no memory, too many clients, past its destructors) adds to
// the client's shared cells, where a duration is known only by its octave.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "record/arena.hpp"
#include "record/block.hpp"
#include "record/cells.hpp"
#include "record/endpoint_table.hpp"
#include "record/host_key.hpp"
#include "record/registry.hpp"
#include "record/thread.hpp"

namespace event_metrics::inline v0::record {

class alignas(Arena::line_bytes) Recorder {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::uint32_t max_endpoints;
    bool by_endpoint;  ///< false: every URL counts as `other`, and is not looked at
    std::size_t memory_bytes;
  };

  /// Makes in a forked child what the client needs there beside the recorder, and leaves what it had to the parent if
  /// that is the `first` call. False where something is missing. Called under the registry's lock, when everything is
  /// zero again.
  using Reborn = std::function<bool(bool first)>;

  /// Throws std::bad_alloc.
  Recorder(const Limits& limits, Reborn reborn);
  ~Recorder();

  // Any thread. Nothing here waits, locks, allocates or enters the kernel once thread and endpoint have been seen.

  void success(std::string_view url, std::chrono::nanoseconds duration) noexcept;
  void failed(std::string_view url) noexcept;
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

  /// Counts what is in the threads' rings: of each what was there before the call.
  void drain() noexcept;

  /// Does what must be done now and then: drains, and writes ahead with the next two arguments. Returns when it wants
  /// to be done again, if the threads go on as they did; long from now while they record nothing.
  Clock::time_point tend(Clock::time_point now, std::size_t ledger_bytes, std::uint32_t folded_lines) noexcept;

  /// Touches memory ahead of the callers: twice what was taken since the last look, at least 2 MiB and eight threads'
  /// blocks. Stays within the limit together with the ledger, which has `ledger_bytes` now and may want three more for
  /// each byte taken after `folded_lines` (a taken chunk of 512 bytes is a chunk of 1.5 KiB there). Returns whether any
  /// was taken since the last look.
  bool write_ahead(std::size_t ledger_bytes, std::uint32_t folded_lines) noexcept;

  std::size_t memory_bytes() const noexcept { return std::size_t{arena_->written()} * Arena::line_bytes; }
  std::uint32_t taken_lines() const noexcept { return arena_->taken(); }

  /// Endpoints by index: 0 to endpoint_count() - 1. The first two are not in the table, and have no label there.
  std::uint32_t endpoint_count() const noexcept { return first_endpoint + table_.size(); }
  std::string_view label(std::uint32_t index) const noexcept { return table_.at(index); }

  /// Marks of what was counted: each stands for the endpoints with equal indices modulo their number. True once after
  /// anything was counted for one of them: take before reading.
  bool take_marks(std::uint32_t number) noexcept;

  struct ActiveTasks {
    std::int64_t count;
    bool touched;  ///< whether any task was ever counted
  };
  ActiveTasks active_tasks() const noexcept;

  /// Durations drained so far that were counted as the longest there is.
  std::uint64_t beyond_range() const noexcept {
    return load(shared_tasks().beyond_range, std::memory_order_relaxed);  // as within_range()
  }

 private:
  friend class Reading;

  template <class T>
  T& at(std::uint32_t line) const noexcept {
    return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(&head_) + std::size_t{line} * Arena::line_bytes);
  }
  // For threads without a block.
  Tasks& shared_tasks() const noexcept { return at<Tasks>(tasks_line); }
  Marks& shared_marks() const noexcept { return at<Marks>(marks_line); }
  SharedCells& shared(std::uint32_t endpoint) const noexcept { return (&at<SharedCells>(shared_line))[endpoint]; }

  Recorder(const Limits& limits, Reborn reborn, std::unique_ptr<Arena> arena);

  void record(std::string_view url, unsigned cell) noexcept;
  void record_in(Lane& lane, std::string_view url, unsigned cell) noexcept;
  void record_elsewhere(std::string_view url, unsigned cell) noexcept;
  void record_by_key(std::string_view url, unsigned cell, Lane& lane) noexcept;
  void record_slowly(std::string_view url, unsigned cell) noexcept;
  void put(Lane& lane, std::uint32_t endpoint_entry, unsigned cell) noexcept;
  void count(Block& block, std::uint32_t endpoint_entry, unsigned cell) noexcept;
  void count_anywhere(Block& block, std::uint32_t endpoint, unsigned cell) noexcept;
  void count_shared(std::uint32_t endpoint, unsigned cell) noexcept;
  unsigned within_range(unsigned cell) noexcept;
  static void add_one(Block& block, std::uint32_t endpoint, std::uint64_t& word) noexcept;
  static void add_task(Block& block, std::int64_t change) noexcept;
  void task_elsewhere(std::int64_t change) noexcept;

  std::uint32_t endpoint_of(std::string_view url) noexcept;
  std::uint32_t new_endpoint(const HostLabel& label) noexcept;

  // Relaxed: a lane gets a client's id after its thread has met the client, under the lock that it began under.
  bool is_known(const Lane& lane) const noexcept { return lane.id == load(head_.id, std::memory_order_relaxed); }
  Block* own_block() noexcept;
  Block* meet_thread() noexcept;
  bool tries_again() noexcept;
  Block* late_block() noexcept;
  Block* adopt_block() noexcept;
  Block* new_block() noexcept;
  void link(std::uint32_t line) noexcept;

  static std::uint64_t* near_word(Header& header, unsigned cell) noexcept;
  std::uint64_t* own_word(Header& header, unsigned cell) noexcept;
  template <class T>
  T* grow(T*& link) noexcept;

  void begin() noexcept;
  void prepare() noexcept;
  bool is_due() const noexcept;
  template <class Visit>
  void for_each_block(Visit visit) const {
    // Acquire: pairs with link(). Older links were published with the blocks that hold them.
    std::uint32_t line = load(head_.newest_block, std::memory_order_acquire);
    while (line != 0) {
      Block& block = at<Block>(line);
      visit(block);
      line = load(block.next, std::memory_order_relaxed);
    }
  }
  std::int64_t sum_tasks(bool& touched) const noexcept;
  void extend(std::uint32_t ready) noexcept;

  // What a call reads lies on one line.
  Head& head_;
  EndpointTable table_;
  std::size_t block_url_bytes_;  // the size from which a URL is worth a look
  std::uint32_t slot_ = lane_count;

  const Limits limits_;
  const std::uint32_t least_ready_;
  const Reborn reborn_;
  const std::unique_ptr<Arena> arena_;
  Block* const drained_;         // counts what the rings held; the flushing thread's own
  std::uint32_t looked_at_ = 0;  // lines taken at the last write_ahead()
  std::uint32_t folded_lines_ = 0;
  std::size_t ledger_bytes_ = limits_.memory_bytes;  // all is spoken for until write_ahead() says otherwise
  std::uint32_t fullest_ = 0;                        // the most that a ring held since the last tend()
  Clock::time_point tended_at_{};
};

}  // namespace event_metrics::inline v0::record
