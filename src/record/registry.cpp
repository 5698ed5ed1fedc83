#include "record/registry.hpp"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "event_metrics/event_metrics.hpp"

namespace event_metrics::inline v0::record {

thread_local constinit Lane lanes[lane_count + 1];
thread_local constinit Arena* held_arenas[lane_count + 1] = {};
thread_local constinit unsigned late_tries = 0;
thread_local constinit bool lanes_closed = false;

namespace {
// While the program is loaded: of fork's handlers the first to be registered takes its lock last, so that a thread that
// holds a lock of the service's, and meets a client here, never waits for a fork that waits for it.
[[maybe_unused]] const Registry& made_at_load = Registry::instance();
}  // namespace

Registry& Registry::instance() {
  static Registry* const registry = new Registry;
  return *registry;
}

Registry::Registry() {
  static_assert(std::is_same_v<pthread_key_t, unsigned>);
  has_exit_key_ = ::pthread_key_create(&exit_key_, [](void*) { thread_ends(); }) == 0;
  // Between prepare and the end of fork the lock is ours, so the child never finds it in the hands of a thread that it
  // does not have. The child handler sets words and does nothing else: it may run in any state of the process.
  (void)::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                         [] {
                           instance().renew_after_fork();
                           instance().mutex_.unlock();
                         });
}

void Registry::renew_after_fork() noexcept {
  detail::fork_count.fetch_add(1, std::memory_order_relaxed);  // see detail::forks()
  std::fill(std::begin(lanes), std::end(lanes), Lane{});       // the parent's; they hold nothing in this process
  std::fill(std::begin(held_arenas), std::end(held_arenas), nullptr);
  for (Arena* const arena : arenas_) arena->renew_in_child();
}

std::uint32_t Registry::enter(Arena& arena) {
  arenas_.push_back(&arena);
  bool* const slot = std::find(std::begin(slot_taken_), std::end(slot_taken_), false);
  if (slot != std::end(slot_taken_)) *slot = true;
  return static_cast<std::uint32_t>(slot - std::begin(slot_taken_));
}

void Registry::leave(Arena& arena, std::uint32_t slot) noexcept {
  std::erase(arenas_, &arena);
  if (slot < lane_count) slot_taken_[slot] = false;
}

bool Registry::watch_this_thread() noexcept {
  // Any value but nullptr makes the key's destructor run.
  return has_exit_key_ && ::pthread_setspecific(exit_key_, this) == 0;
}

void Registry::give_back(std::uint32_t slot) noexcept {
  if (held_arenas[slot] == nullptr) return;
  const Lane lane = std::exchange(lanes[slot], Lane{});
  if (lane.block != nullptr) {
    lane.block->ring.head = static_cast<std::uint32_t>(lane.place - lane.block->ring.entry);  // ordered by the owner
    // Release: whoever takes the block over (acquire) goes on from our last counts.
    store(lane.block->owner, 0U, std::memory_order_release);
  }
  std::exchange(held_arenas[slot], nullptr)->drop();
}

void Registry::thread_ends() noexcept {
  const std::lock_guard lock{instance().mutex_};
  lanes_closed = true;
  for (std::uint32_t slot = 0; slot < lane_count; ++slot) give_back(slot);
}

}  // namespace event_metrics::inline v0::record
