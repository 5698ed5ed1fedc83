#include "client/engine.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/no_cancellation.hpp"
#include "base/own_thread.hpp"
#include "event_metrics/event_metrics.hpp"

namespace event_metrics::inline v0 {
namespace {

// Longer, and the deadline could overflow.
constexpr std::chrono::hours longest_timeout{24};

struct Waiting {
  explicit Waiting(std::atomic<int>& waiting) noexcept : all{waiting} { all.fetch_add(1, std::memory_order_relaxed); }
  ~Waiting() { all.fetch_sub(1, std::memory_order_relaxed); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  std::atomic<int>& all;
};

}  // namespace

Engine::Engine(const Listener& listener, Flush::Setup setup, DeliverySeries series, record::Recorder& recorder,
               const RowLabels& labels)
    : listener_{listener}, flush_{std::move(setup), std::move(series), recorder, labels} {
  (void)flush_.tend(Clock::now());
  published_ = flush_.stats();
}

Engine::~Engine() { end_thread(); }

void Engine::start() {
  thread_ = own_thread("event-metrics", [this] { run(); });
}

void Engine::run() noexcept {
  // on_error may fork: a child that comes back from it has nothing to do here.
  const std::uint32_t forks = detail::forks();
  own_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  while (!alarm_.rung() && forks == detail::forks()) {
    turn_.enter();
    const Clock::time_point next = step().next;
    const Clock::time_point next_look = flush_.tend(Clock::now());
    leave_turn();
    alarm_.sleep_until(std::min(next, next_look));
  }
}

void Engine::look_whether_late() noexcept {
  if (const int error = late_.exchange(0, std::memory_order_relaxed)) flush_.tell_late(error);
}

Flush::Outcome Engine::step() noexcept {
  look_whether_late();
  const Clock::time_point now = Clock::now();
  const bool awaited = waiting_.load(std::memory_order_relaxed) > 0;
  try {
    return flush_.burst(now, awaited ? Flush::Urgency::urgent : Flush::Urgency::routine);
  } catch (const std::exception&) {
    flush_.out_of_memory(now);
    return {now + Flush::pause, Clock::time_point::min()};
  }
}

void Engine::leave_turn() noexcept {
  const std::vector<std::string> messages = flush_.report().take();
  {
    const std::lock_guard lock{published_mutex_};
    published_ = flush_.stats();
  }
  turn_.leave();
  listener_.tell(messages);
}

bool Engine::on_own_thread() const noexcept {
  return own_thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

bool Engine::flush_until(Clock::time_point deadline, bool last) noexcept {
  const Waiting waiting{waiting_};
  if (!turn_.enter_until(deadline)) return false;
  const Clock::time_point begun = Clock::now();
  const bool owed = begin_turn(begun, last);
  const std::uint32_t forks = detail::forks();
  for (;;) {
    const Flush::Outcome outcome = step();
    (void)flush_.tend(Clock::now());
    leave_turn();
    if (outcome.accepted_until >= begun) return owed;
    if (Clock::now() >= deadline || forks != detail::forks()) return false;  // see run()
    // on_error may flush on our own thread, for whose end destruction waits.
    if (!last && alarm_.rung() && on_own_thread()) return false;
    std::this_thread::sleep_until(std::min(outcome.next, deadline));
    if (!turn_.enter_until(deadline)) return false;
  }
}

bool Engine::begin_turn(Clock::time_point now, bool last) noexcept {
  look_whether_late();
  try {
    const bool complete = flush_.begin_turn(now);
    if (last) flush_.end_active_tasks();
    return complete;
  } catch (const std::exception&) {
    flush_.out_of_memory(now);
    return false;
  }
}

Engine::Clock::time_point Engine::deadline(std::chrono::milliseconds timeout) noexcept {
  return Clock::now() + std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds{0}, longest_timeout);
}

bool Engine::flush(Clock::time_point deadline) noexcept { return flush_until(deadline, false); }

Engine::Clock::time_point Engine::poll() noexcept {
  turn_.enter();
  const Clock::time_point next = step().next;
  (void)flush_.tend(Clock::now());
  leave_turn();
  return next;
}

void Engine::end_thread() noexcept {
  alarm_.ring();
  if (!thread_.joinable()) return;
  if (on_own_thread()) {
    thread_.detach();  // on_error has called exit(), from which it does not come back
  } else {
    thread_.join();
  }
}

void Engine::close(Clock::time_point deadline) noexcept {
  end_thread();
  if (flush_until(deadline, true)) return;
  const statsd::Stats left = stats();
  if (left.owed + left.timings_owed == 0) return;
  flush_.left_behind(Clock::now());
  listener_.tell(flush_.report().take());
}

statsd::Stats Engine::stats() const noexcept {
  const std::lock_guard lock{published_mutex_};
  return published_;
}

}  // namespace event_metrics::inline v0
