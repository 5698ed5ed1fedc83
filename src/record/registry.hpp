// record/registry.hpp - what all clients of a process share: ids, the threads' lanes, thread exit and fork.

#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "record/arena.hpp"
#include "record/thread.hpp"

namespace event_metrics::inline v0::record {

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
  /// Nothing refers to the arena afterwards, whatever threads have met its client.
  void leave(Arena& arena, std::uint32_t slot) noexcept;

  /// Gives this thread its holdings, and has them given back when it ends. False when there is no memory for that. In
  /// vain in the last round of a thread's own pthread destructors: what it takes there no other thread gets.
  bool watch_this_thread() noexcept;

 private:
  Registry();
  static void thread_ends() noexcept;
  void renew_after_fork() noexcept;
  Holdings* free_holdings() noexcept;

  std::mutex mutex_;
  std::uint64_t next_id_ = nobody + 1;
  bool slot_taken_[lane_count] = {};
  std::vector<Arena*> arenas_;
  Holdings* holdings_ = nullptr;  // of all threads, linked; as many as were ever alive at once
  unsigned exit_key_;
  bool has_exit_key_;
};

}  // namespace event_metrics::inline v0::record
