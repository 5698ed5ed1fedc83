#include "record/recorder.hpp"

#include <sys/random.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <random>
#include <utility>

#include "base/no_cancellation.hpp"
#include "record/registry.hpp"

namespace event_metrics::inline v0::record {
namespace {

constexpr std::uint32_t least_ready_blocks = 8;

// Between two looks at the rings: the least, the most while there is something in them, and the most.
constexpr std::chrono::milliseconds least_pause{10};
constexpr std::chrono::milliseconds busy_pause{100};
constexpr std::chrono::seconds longest_pause{5};

// The flushing thread's block is the last of what is there from the beginning.
std::uint32_t drained_line(const Recorder::Limits& limits) noexcept {
  return Recorder::further_line(limits) + limits.further_lines;
}
std::uint32_t fixed_lines(const Recorder::Limits& limits) noexcept { return drained_line(limits) + Blocks::lines; }

Seed random_seed(const void* fallback) noexcept {
  Seed seed;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed) return seed;
  const auto clock = std::chrono::steady_clock::now().time_since_epoch().count();
  std::minstd_rand random{
      static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(fallback) ^ static_cast<std::uint64_t>(clock))};
  for (std::uint32_t& word : seed.word) word = static_cast<std::uint32_t>(random());
  return seed;
}

}  // namespace

Recorder::Recorder(const Limits& limits, Reborn reborn, std::unique_ptr<Arena> arena)
    : head_{head(*arena)},
      limits_{limits},
      reborn_{std::move(reborn)},
      arena_{std::move(arena)},
      writer_{*arena_, limits.rows},
      blocks_{*arena_},
      budget_{*arena_, limits.memory},
      memory_ahead_{*arena_, budget_, least_ready_blocks * Blocks::lines},
      drained_{arena_->at<Block>(drained_line(limits))} {
  if (!arena_->open(fixed_lines(limits_))) throw std::bad_alloc{};
  const std::lock_guard lock{Registry::instance().mutex()};
  slot_ = Registry::instance().enter(*arena_);
  begin();
}

Recorder::~Recorder() {
  const std::lock_guard lock{Registry::instance().mutex()};
  Registry::instance().leave(*arena_, slot_);
}

Block* Recorder::own_block() noexcept {
  if (is_known(lane(), head_)) return lane().block;
  if (!begin_in_child()) return nullptr;
  return blocks_.meet(slot_, load(head_.id, std::memory_order_relaxed));  // set before the thread is met
}

void Recorder::count(const Block* own, std::uint32_t row, unsigned cell) noexcept {
  if (own == nullptr) return writer_.into_shared_cells(row, cell);
  writer_.into_ring(lane(), word_of(row, 0), cell);
}

void Recorder::active_task(std::int64_t change) noexcept {
  if (Block* const block = own_block()) return Writer::into_own_tasks(*block, change);
  writer_.into_shared_tasks(change);
}

bool Recorder::begin_in_child() noexcept {
  if (begun()) return true;
  std::unique_lock lock{Registry::instance().mutex(), std::defer_lock};
  if (!is_prepared()) {
    lock.lock();
  } else if (!is_due() || !lock.try_lock()) {
    return false;
  }
  if (!begun() && is_due()) begin();  // another thread may have tried meanwhile
  return begun();
}

// Relaxed: two threads that find it due find the lock taken by one of them.
bool Recorder::is_due() const noexcept {
  return Clock::now().time_since_epoch().count() >= load(head_.next_try, std::memory_order_relaxed);
}

void Recorder::begin() noexcept {
  const NoCancellation meanwhile;
  const bool first = !is_prepared();
  const bool in_child = !first || arena_->written() != 0;
  if (first) prepare();
  const bool complete = !in_child || reborn_(first);
  const Clock::time_point next_try = Clock::now() + retry_pause;
  store(head_.next_try, next_try.time_since_epoch().count(), std::memory_order_relaxed);  // as is_due()
  // Release: pairs with is_prepared(), everything that counting needs is in its place, and nothing is the parent's.
  store(head_.prepared, 1U, std::memory_order_release);
  // Release: pairs with begun(), so is the rest.
  if (complete) store(head_.id, Registry::instance().new_id(), std::memory_order_release);
}

void Recorder::prepare() noexcept {
  arena_->restart();
  arena_->write_ahead(fixed_lines(limits_), fixed_lines(limits_) + Arena::lines_per_page);
  (void)arena_->take(fixed_lines(limits_) - 1);  // line 0 is never handed out
  memory_ahead_.begin();
  blocks_.link(drained_line(limits_));
  head_.seed = random_seed(this);  // nobody looks before the recorder is prepared
}

// Written in whole pages: what is left of the last is given to callers, and the reader has to follow.
std::size_t Recorder::fixed_bytes(const Limits& limits) noexcept {
  constexpr std::size_t page_bytes = std::size_t{Arena::lines_per_page} * Arena::line_bytes;
  return std::size_t{fixed_lines(limits)} * Arena::line_bytes + page_bytes + page_bytes * limits.memory.reader_share;
}

void Recorder::drain() noexcept {
  for_each_block(*arena_, [this](Block& block) { fullest_ = std::max(fullest_, take_from_ring(block.ring)); });
}

std::uint32_t Recorder::take_from_ring(Ring& ring) noexcept {
  for (std::uint32_t held = 0; held < ring_words; ++held) {
    std::uint32_t& place = ring.word[ring.tail % ring_words];
    const std::uint32_t word = load(place, std::memory_order_relaxed);  // see Ring
    if (word == 0) return held;
    if (held == 0) memory_ahead_.keep_ready();  // each word may want lines, and this thread need not go without
    store(place, 0U, std::memory_order_relaxed);
    ++ring.tail;
    writer_.into_own_cells(drained_, word, cell_of_word(word));
  }
  return ring_words;
}

Recorder::Clock::time_point Recorder::tend(Clock::time_point now) noexcept {
  drain();
  const bool taken = write_ahead();
  const auto elapsed = std::min<Clock::duration>(now - std::exchange(tended_at_, now), longest_pause);
  const std::uint32_t held = std::exchange(fullest_, 0);
  // Full again so soon, it is a thread's that does nothing but record: it keeps its own cells warm.
  if (held == ring_words && elapsed <= 2 * least_pause) return now + (taken ? least_pause : busy_pause);
  if (taken || held == ring_words) return now + least_pause;
  if (held == 0) return now + std::clamp<Clock::duration>(2 * elapsed, least_pause, longest_pause);
  // As fast as before, the fullest ring will be half full then.
  return now + std::clamp<Clock::duration>(elapsed * (ring_words / 2) / held, least_pause, busy_pause);
}

std::int64_t Recorder::sum_tasks(bool& touched) const noexcept {
  std::int64_t sum = 0;
  const auto add = [&](Tasks& tasks) {
    sum += load(tasks.net, std::memory_order_acquire);  // pairs with Writer::into_own_tasks()
    touched = touched || load(tasks.touched, std::memory_order_relaxed) != 0;
  };
  add(shared_tasks(*arena_));
  for_each_block(*arena_, [&](Block& block) { add(block.tasks); });
  return sum;
}

Recorder::ActiveTasks Recorder::active_tasks() const noexcept {
  // Words that change while they are read can add up to what never was: two equal passes in a row can be believed.
  constexpr int passes = 8;
  bool touched = false;
  std::int64_t before = sum_tasks(touched);
  std::int64_t sum = sum_tasks(touched);
  for (int pass = 2; sum != before && pass < passes; ++pass) {
    before = sum;
    sum = sum_tasks(touched);
  }
  return {sum != before && before >= 0 ? std::max<std::int64_t>(sum, 0) : sum, touched};
}

}  // namespace event_metrics::inline v0::record
