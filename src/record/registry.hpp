// record/registry.hpp - what all clients of a process share: ids, the threads' lanes, thread exit and fork.

#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "record/arena.hpp"
#include "record/block.hpp"

namespace event_metrics::inline v0::record {

/// Clients that can give threads a place of their own at the same time; further ones use their shared cells.
inline constexpr std::uint32_t lane_count = 8;

/// An id that no client gets, nor 0, which a forked child finds in place of its parent's: an empty lane fits neither.
inline constexpr std::uint64_t nobody = 1;

/// What one thread has of the client in one slot, as a call needs it. Trivial, so that it is there before and after
/// everything else that a thread runs.
struct alignas(32) Lane {
  std::uint64_t id = nobody;  ///< of the client; nobody while the thread has no block of it
  Block* block = nullptr;
  std::uint32_t* place = nullptr;  ///< in the block's ring, of the next entry
  std::uint32_t* end = nullptr;    ///< of the ring
};

/// The calling thread's lanes, by slot. The last belongs to no client and never fits one.
extern thread_local constinit Lane lanes[lane_count + 1] __attribute__((tls_model("initial-exec")));

/// The arenas that the thread holds, by slot: those of the clients that it has met.
extern thread_local constinit Arena* held_arenas[lane_count + 1] __attribute__((tls_model("initial-exec")));

/// How often this thread has found no memory for a block.
extern thread_local constinit unsigned late_tries __attribute__((tls_model("initial-exec")));

/// True when nobody would give this thread's lanes back, as it is past its destructors: it may not take any.
extern thread_local constinit bool lanes_closed __attribute__((tls_model("initial-exec")));

class Registry {
 public:
  /// The one registry of the process. Never destroyed, because threads may end after static objects.
  static Registry& instance();

  /// Guards everything here, first sights and new endpoints. A fork waits for it, so it is never held for long.
  std::mutex& mutex() noexcept { return mutex_; }

  // All below: with the mutex held.

  std::uint64_t new_id() noexcept { return next_id_++; }

  /// Enters a client; returns its slot, lane_count when all are taken. Throws std::bad_alloc.
  std::uint32_t enter(Arena& arena);
  void leave(Arena& arena, std::uint32_t slot) noexcept;

  /// Has this thread's lanes given back when it ends. False when the system has no room for that. In vain in the last
  /// round of a thread's own pthread destructors: what it takes there no other thread gets.
  bool watch_this_thread() noexcept;

  /// Returns what this thread has in `slot`: its block to the next thread, its hold on the arena.
  static void give_back(std::uint32_t slot) noexcept;

 private:
  Registry();
  static void thread_ends() noexcept;
  void renew_after_fork() noexcept;

  std::mutex mutex_;
  std::uint64_t next_id_ = nobody + 1;
  bool slot_taken_[lane_count] = {};
  std::vector<Arena*> arenas_;
  unsigned exit_key_;
  bool has_exit_key_;
};

}  // namespace event_metrics::inline v0::record
