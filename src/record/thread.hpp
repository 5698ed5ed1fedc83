// record/thread.hpp - what one thread has of the clients that it has met.

#pragma once

#include <cstddef>
#include <cstdint>

#include "record/arena.hpp"
#include "record/layout.hpp"

namespace event_metrics::inline v0::record {

/// Clients that can give threads a place of their own at the same time; further ones use their shared cells.
inline constexpr std::uint32_t lane_count = 8;

/// An id that no client gets, nor 0, which a forked child finds in place of its parent's: an empty lane fits neither.
inline constexpr std::uint64_t nobody = 1;

/// What one thread has of the client in one slot, as a call needs it. They lie in whole cache lines.
struct Lane {
  std::uint64_t id = nobody;  ///< of the client; nobody while the thread has no block of it
  Block* block = nullptr;
  std::uint32_t* place = nullptr;  ///< in the block's ring, of the next word
  std::uint32_t* end = nullptr;    ///< of the ring
};

/// What the registry keeps for a thread until it ends, where a client that ends finds it too.
struct alignas(Arena::line_bytes) Holdings {
  /// By slot. That of slot 0 stands in Thread, and the last belongs to no client: these two never fit one.
  Lane lanes[lane_count + 1];
  /// By slot: of the clients that the thread has met and that are still there.
  const Arena* arenas[lane_count + 1] = {};
  Holdings* next = nullptr;
  bool taken = true;
};

/// Those of a thread that has met no client. Never written.
extern constinit Holdings no_holdings;

/// Trivial, so that it is there before and after everything else that a thread runs. A process has room for few bytes
/// of this kind, which all its plugins share.
struct Thread {
  Lane first_lane;  ///< of slot 0: most processes have one client
  Holdings* holdings = &no_holdings;
  unsigned late_tries = 0;  ///< how often it has found no memory for what it needs
  bool closed = false;      ///< nobody would give its lanes back, as it is past its destructors: it may not take any

  Lane& lane(std::uint32_t slot) noexcept { return slot == 0 ? first_lane : holdings->lanes[slot]; }
};
static_assert(sizeof(Lane) == 32 && sizeof(Thread) <= 56);  // what Boost has of it makes 64

alignas(sizeof(Lane)) extern thread_local constinit Thread this_thread __attribute__((tls_model("initial-exec")));

}  // namespace event_metrics::inline v0::record
