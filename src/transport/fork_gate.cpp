#include "transport/fork_gate.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/no_cancellation.hpp"

namespace event_metrics::inline v0::transport {
namespace {

using Clock = std::chrono::steady_clock;

constinit std::mutex gate;
constinit int inside = 0;
constinit Clock::time_point last_entered{};
constinit std::atomic<int> look_ups{0};  // relaxed: orders nothing

void wait_before_fork() {
  const NoCancellation
      meanwhile;  // a thread that left a fork in the middle would leave the locks taken that others took
  gate.lock();    // until after the fork: nobody enters meanwhile
  const Clock::time_point latest = Clock::now() + ForkGate::longest_wait;
  while (inside > 0 && Clock::now() < std::min(latest, last_entered + ForkGate::longest_wait)) {
    gate.unlock();
    std::this_thread::sleep_for(std::chrono::microseconds{100});
    gate.lock();
  }
}

void open_in_parent() { gate.unlock(); }

void open_in_child() {
  inside = 0;  // those threads are the parent's
  look_ups.store(0, std::memory_order_relaxed);
  gate.unlock();
}

// While the program is loaded, as record::Registry does and for its reason.
[[maybe_unused]] const int registered = ::pthread_atfork(wait_before_fork, open_in_parent, open_in_child);

}  // namespace

ForkGate::ForkGate() noexcept {
  const std::lock_guard lock{gate};
  ++inside;
  last_entered = Clock::now();
}

ForkGate::~ForkGate() {
  const std::lock_guard lock{gate};
  --inside;
}

LookUpPlace::LookUpPlace() noexcept : had_{look_ups.fetch_add(1, std::memory_order_relaxed) < most} {
  if (!had_) look_ups.fetch_sub(1, std::memory_order_relaxed);
}

LookUpPlace::~LookUpPlace() {
  if (had_) look_ups.fetch_sub(1, std::memory_order_relaxed);
}

std::mutex& no_fork() noexcept { return gate; }

}  // namespace event_metrics::inline v0::transport
