#include "record/registry.hpp"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <type_traits>
#include <utility>

#include "base/stay_loaded.hpp"
#include "event_metrics/event_metrics.hpp"

namespace event_metrics::inline v0::record {

constinit Holdings no_holdings;
alignas(sizeof(Lane)) thread_local constinit Thread this_thread;

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
  stay_loaded();  // what follows leaves addresses of ours with threads and forks
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
  this_thread.first_lane = Lane{};                             // the parent's, as all lanes: they hold nothing here
  for (Holdings* each = holdings_; each != nullptr; each = each->next) {
    std::fill(std::begin(each->lanes), std::end(each->lanes), Lane{});
    std::fill(std::begin(each->arenas), std::end(each->arenas), nullptr);
    each->taken = each == this_thread.holdings;
  }
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
  if (slot == lane_count) return;
  slot_taken_[slot] = false;
  // The lanes stay as they are: no other client has this one's id.
  for (Holdings* each = holdings_; each != nullptr; each = each->next) {
    if (each->arenas[slot] == &arena) each->arenas[slot] = nullptr;
  }
}

bool Registry::watch_this_thread() noexcept {
  if (this_thread.holdings != &no_holdings) return true;
  this_thread.closed = !has_exit_key_;
  Holdings* const holdings = has_exit_key_ ? free_holdings() : nullptr;
  // Any value but nullptr makes the key's destructor run.
  if (holdings == nullptr || ::pthread_setspecific(exit_key_, holdings) != 0) return false;
  holdings->taken = true;
  this_thread.holdings = holdings;
  return true;
}

Holdings* Registry::free_holdings() noexcept {
  for (Holdings* each = holdings_; each != nullptr; each = each->next) {
    if (!each->taken) return each;
  }
  auto* const made = new (std::nothrow) Holdings;
  if (made == nullptr) return nullptr;
  made->next = holdings_;
  made->taken = false;
  return holdings_ = made;
}

void Registry::thread_ends() noexcept {
  const std::lock_guard lock{instance().mutex_};
  Holdings& holdings = *std::exchange(this_thread.holdings, &no_holdings);
  this_thread.closed = true;
  for (std::uint32_t slot = 0; slot < lane_count; ++slot) {
    const Lane lane = std::exchange(slot == 0 ? this_thread.first_lane : holdings.lanes[slot], Lane{});
    if (std::exchange(holdings.arenas[slot], nullptr) == nullptr || lane.block == nullptr) continue;
    lane.block->ring.head = static_cast<std::uint32_t>(lane.place - lane.block->ring.word);  // ordered by the owner
    // Release: whoever takes the block over (acquire) goes on from our last counts.
    store(lane.block->owner, 0U, std::memory_order_release);
  }
  holdings.taken = false;
}

}  // namespace event_metrics::inline v0::record
