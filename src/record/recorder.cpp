#include "record/recorder.hpp"

#include <sys/random.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <random>
#include <string_view>
#include <utility>

#include "base/no_cancellation.hpp"

namespace event_metrics::inline v0::record {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t ledger_bytes_per_byte = 3;  // a chunk of 512 bytes here is one of 1.5 KiB there
constexpr std::uint32_t least_ready_lines = (2U << 20U) / Arena::line_bytes;
constexpr std::uint32_t least_ready_blocks = 8;

// Between two looks at the rings: the least, the most while there is something in them, and the most.
constexpr std::chrono::milliseconds least_pause{10};
constexpr std::chrono::milliseconds busy_pause{100};
constexpr std::chrono::seconds longest_pause{5};

constexpr std::uint32_t endpoints_of(const Recorder::Limits& limits) { return first_endpoint + limits.max_endpoints; }

constexpr std::uint32_t table_line(const Recorder::Limits& limits) {
  constexpr std::uint32_t lines_per_endpoint = sizeof(SharedCells) / Arena::line_bytes;
  return shared_line + endpoints_of(limits) * lines_per_endpoint;
}

constexpr std::uint32_t block_lines(const Recorder::Limits& limits) {
  const std::size_t bytes = sizeof(Block) + endpoints_of(limits) * sizeof(void*);  // of its headers
  return static_cast<std::uint32_t>((bytes - 1) / Arena::line_bytes + 1);
}

std::uint32_t drained_line(const Recorder::Limits& limits) {
  return table_line(limits) + EndpointTable::lines(limits.max_endpoints);
}

std::uint32_t fixed_lines(const Recorder::Limits& limits) { return drained_line(limits) + block_lines(limits); }

HashKey random_key(const void* fallback) noexcept {
  HashKey key;
  if (::getrandom(&key, sizeof key, GRND_NONBLOCK) == sizeof key) return key;
  const auto clock = std::chrono::steady_clock::now().time_since_epoch().count();
  std::minstd_rand random{
      static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(fallback) ^ static_cast<std::uint64_t>(clock))};
  for (std::uint32_t& word : key.word) word = static_cast<std::uint32_t>(random());
  return key;
}

}  // namespace

Recorder::Recorder(const Limits& limits, Reborn reborn)
    : Recorder{limits, std::move(reborn), std::make_unique<Arena>(limits.memory_bytes)} {}

Recorder::Recorder(const Limits& limits, Reborn reborn, std::unique_ptr<Arena> arena)
    : head_{arena->at<Head>(0)},
      table_{*arena, table_line(limits), limits.max_endpoints},
      block_url_bytes_{limits.by_endpoint ? block_url_bytes : std::string_view{}.max_size()},
      limits_{limits},
      least_ready_{std::max(least_ready_lines, least_ready_blocks * block_lines(limits))},
      reborn_{std::move(reborn)},
      arena_{std::move(arena)},
      drained_{&at<Block>(drained_line(limits))} {
  if (!arena_->open(fixed_lines(limits_))) throw std::bad_alloc{};
  const std::lock_guard lock{Registry::instance().mutex()};
  slot_ = Registry::instance().enter(*arena_);
  begin();
}

Recorder::~Recorder() {
  const std::lock_guard lock{Registry::instance().mutex()};
  Registry::instance().leave(*arena_, slot_);
}

std::uint32_t Recorder::endpoint_of(std::string_view url) noexcept {
  if (!limits_.by_endpoint) return other_endpoint;
  const HostKey spelling = host_key(url);
  const HostLabel label = host_label(spelling);
  if (label.size == 0) return invalid_endpoint;
  const bool is_full = table_.is_full();  // first: what made it full is found then
  const std::uint32_t known = table_.find(key_of(label));
  if (known == 0 && is_full) return other_endpoint;
  const std::uint32_t endpoint = known != 0 ? table_.endpoint(known) : new_endpoint(label);
  if (endpoint != other_endpoint) table_.remember(spelling, endpoint);
  return endpoint;
}

std::uint32_t Recorder::new_endpoint(const HostLabel& label) noexcept {
  const std::lock_guard lock{Registry::instance().mutex()};
  if (const std::uint32_t known = table_.find(key_of(label))) return table_.endpoint(known);  // another thread's
  const std::uint32_t endpoint = table_.insert(label);
  return endpoint != 0 ? endpoint : other_endpoint;
}

Block* Recorder::own_block() noexcept {
  if (is_known(this_thread.lane(slot_))) return this_thread.lane(slot_).block;
  if (!begin_in_child() || slot_ == lane_count || this_thread.closed) return nullptr;
  // A thread that has been met and has no block found no memory for one: now there may be some.
  Block* const block = this_thread.holdings->arenas[slot_] == arena_.get() ? late_block() : meet_thread();
  if (block != nullptr) {
    const std::uint64_t id = load(head_.id, std::memory_order_relaxed);  // set before the block was made
    std::uint32_t* const ring = block->ring.entry;
    this_thread.lane(slot_) = {id, block, ring + block->ring.head, ring + ring_entries};
  }
  return block;
}

Block* Recorder::meet_thread() noexcept {
  const bool had_no_memory = this_thread.late_tries != 0 && this_thread.holdings == &no_holdings;
  if (had_no_memory && !tries_again()) return nullptr;
  Registry& registry = Registry::instance();
  const std::lock_guard lock{registry.mutex()};
  if (!registry.watch_this_thread()) {
    this_thread.late_tries = std::max(this_thread.late_tries, 1U);
    return nullptr;
  }
  this_thread.lane(slot_) = Lane{};  // an earlier client's, or the parent's where no handler has seen the fork
  this_thread.holdings->arenas[slot_] = arena_.get();
  Block* const block = adopt_block();
  return block != nullptr ? block : new_block();
}

// Where there is no memory there may be many blocks, most of them taken: not a look at each, or a lock, in every call.
bool Recorder::tries_again() noexcept {
  constexpr unsigned tries_per_look = 64;
  return ++this_thread.late_tries % tries_per_look == 0;
}

Block* Recorder::late_block() noexcept {
  if (Block* const block = new_block()) return block;
  return tries_again() ? adopt_block() : nullptr;
}

Block* Recorder::adopt_block() noexcept {
  Block* adopted = nullptr;
  for_each_block([&](Block& block) {
    std::uint32_t free = 0;
    // Acquire: pairs with give_back(), our counts go on from its owner's last.
    if (adopted == nullptr && std::atomic_ref{block.owner}.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                                                                   std::memory_order_relaxed)) {
      adopted = &block;
    }
  });
  return adopted;
}

Block* Recorder::new_block() noexcept {
  const std::uint32_t line = arena_->take(block_lines(limits_));
  if (line == 0) return nullptr;
  link(line);
  return &at<Block>(line);
}

void Recorder::link(std::uint32_t line) noexcept {
  Block& block = at<Block>(line);
  store(block.owner, 1U, std::memory_order_relaxed);  // not published yet
  std::atomic_ref newest{head_.newest_block};
  std::uint32_t next = newest.load(std::memory_order_relaxed);
  do {
    store(block.next, next, std::memory_order_relaxed);
    // Release: whoever finds the block finds its link.
  } while (!newest.compare_exchange_weak(next, line, std::memory_order_release, std::memory_order_relaxed));
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
  arena_->write_ahead(fixed_lines(limits_), fixed_lines(limits_) + Arena::line_bytes);
  (void)arena_->take(fixed_lines(limits_) - 1);  // line 0 is never handed out
  looked_at_ = arena_->taken();
  link(drained_line(limits_));
  head_.hash_key = random_key(this);  // nobody looks before the recorder is prepared
}

std::size_t Recorder::fixed_bytes(const Limits& limits) noexcept {
  // Written in whole pages: what is left of the last is given to callers, and the ledger has to follow.
  return std::size_t{fixed_lines(limits)} * Arena::line_bytes + page_bytes + page_bytes * ledger_bytes_per_byte;
}

bool Recorder::write_ahead(std::size_t ledger_bytes, std::uint32_t folded_lines) noexcept {
  const std::uint32_t taken = arena_->taken();
  const std::uint32_t used = taken - std::exchange(looked_at_, taken);
  ledger_bytes_ = ledger_bytes;
  folded_lines_ = folded_lines;
  extend(std::max(least_ready_, 2 * used));
  return used != 0;
}

// The figures of the last write_ahead() will do: what the ledger has become since is of lines that they call unfolded.
void Recorder::extend(std::uint32_t ready) noexcept {
  constexpr std::size_t ledger_bytes_per_line = ledger_bytes_per_byte * Arena::line_bytes;
  const std::size_t unfolded = (arena_->written() - std::min(arena_->written(), folded_lines_)) * ledger_bytes_per_line;
  const std::size_t spoken_for = memory_bytes() + ledger_bytes_ + unfolded;
  const std::size_t room = limits_.memory_bytes - std::min(limits_.memory_bytes, spoken_for);
  const std::size_t more = room / (Arena::line_bytes + ledger_bytes_per_line);
  arena_->write_ahead(ready, arena_->written() + static_cast<std::uint32_t>(more));
}

Recorder::Clock::time_point Recorder::tend(Clock::time_point now, std::size_t ledger_bytes,
                                           std::uint32_t folded_lines) noexcept {
  drain();
  const bool taken = write_ahead(ledger_bytes, folded_lines);
  const auto elapsed = std::min<Clock::duration>(now - std::exchange(tended_at_, now), longest_pause);
  const std::uint32_t held = std::exchange(fullest_, 0);
  // Full again so soon, it is a thread's that does nothing but record: it keeps its own cells warm.
  if (held == ring_entries && elapsed <= 2 * least_pause) return now + (taken ? least_pause : busy_pause);
  if (taken || held == ring_entries) return now + least_pause;
  if (held == 0) return now + std::clamp<Clock::duration>(2 * elapsed, least_pause, longest_pause);
  // As fast as before, the fullest ring will be half full then.
  return now + std::clamp<Clock::duration>(elapsed * (ring_entries / 2) / held, least_pause, busy_pause);
}

bool Recorder::take_marks(std::uint32_t number) noexcept {
  bool marked = false;
  const auto take = [&marked](std::uint8_t& mark) {
    // Acquire: what was counted before the mark was set is read after this. Looking first spares idle lines the write.
    if (load(mark, std::memory_order_relaxed) != 0 &&
        std::atomic_ref{mark}.exchange(0, std::memory_order_acquire) != 0) {
      marked = true;
    }
  };
  take(shared_marks().mark[number]);
  for_each_block([&](Block& block) { take(block.marks.mark[number]); });
  return marked;
}

std::int64_t Recorder::sum_tasks(bool& touched) const noexcept {
  std::int64_t sum = 0;
  const auto add = [&](Tasks& tasks) {
    sum += load(tasks.net, std::memory_order_acquire);  // pairs with active_task()
    touched = touched || load(tasks.touched, std::memory_order_relaxed) != 0;
  };
  add(shared_tasks());
  for_each_block([&](Block& block) { add(block.tasks); });
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
