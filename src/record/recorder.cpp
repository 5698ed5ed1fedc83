#include "record/recorder.hpp"

#include <sys/random.h>

#include <algorithm>
#include <utility>

namespace event_metrics::inline v0::record {
namespace {

constexpr std::uint32_t headers_per_page = 16;
constexpr std::uint32_t shared_line = 2;  // behind the head and the shared active tasks
constexpr std::uint32_t lines_per_shared = sizeof(SharedCells) / Arena::line_bytes;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t ledger_bytes_per_byte = 6;  // a chunk of 256 bytes here is one of 1.5 KiB there
constexpr std::uint32_t least_ready = (1U << 20U) / Arena::line_bytes;

constexpr std::uint32_t endpoints_of(const Recorder::Limits& limits) { return first_endpoint + limits.max_endpoints; }

constexpr std::uint32_t table_line(const Recorder::Limits& limits) {
  return shared_line + endpoints_of(limits) * lines_per_shared;
}

std::uint32_t fixed_lines(const Recorder::Limits& limits) {
  return table_line(limits) + EndpointTable::lines(limits.max_endpoints);
}

constexpr std::uint32_t block_lines(const Recorder::Limits& limits) {
  const std::uint32_t pages = (endpoints_of(limits) + headers_per_page - 1) / headers_per_page;
  return static_cast<std::uint32_t>((sizeof(Block) + pages * sizeof(std::uint32_t) - 1) / Arena::line_bytes + 1);
}

// A block's index of header pages stands right behind it, in the lines taken for both.
std::uint32_t& header_page(Block& block, std::uint32_t endpoint) noexcept {
  return reinterpret_cast<std::uint32_t*>(&block + 1)[endpoint / headers_per_page];
}

// An exchange, because a plain store would end the release sequence of the thread that marked before.
void mark_shared(SharedCells& cells) noexcept { std::atomic_ref{cells.dirty}.exchange(1, std::memory_order_release); }

std::uint64_t random_seed(const void* fallback) noexcept {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed) return seed;
  return reinterpret_cast<std::uintptr_t>(fallback) ^
         static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

Recorder::Recorder(const Limits& limits, std::function<void()> reborn)
    : limits_{limits},
      reborn_{std::move(reborn)},
      arena_{*new Arena{limits.memory_bytes}},
      table_{arena_, table_line(limits), limits.max_endpoints} {
  const std::lock_guard lock{Registry::instance().mutex()};
  try {
    slot_ = Registry::instance().enter(arena_);
  } catch (...) {
    arena_.drop();
    throw;
  }
  begin();
}

Recorder::~Recorder() {
  Registry& registry = Registry::instance();
  const std::lock_guard lock{registry.mutex()};
  if (lanes[slot_].arena == &arena_) Registry::give_back(lanes[slot_]);
  registry.leave(arena_, slot_);
  arena_.drop();  // a thread that has a block here keeps it until it ends or meets another client
}

void Recorder::success(std::string_view url, std::chrono::nanoseconds duration) noexcept {
  Block* const block = this_block();
  const std::uint32_t endpoint = endpoint_of(url);
  const std::uint32_t ms = whole_milliseconds(duration);
  if (Header* const header = own_header(block, endpoint)) {
    if (std::uint32_t* const cell = own_cell(*header, cell_of(ms))) {
      add_alone(*cell, 1U);
      store(header->dirty, 1U, std::memory_order_release);  // after the cell: see take_dirty()
      return;
    }
  }
  add_coarse(endpoint, ms);
}

void Recorder::failed(std::string_view url) noexcept {
  Block* const block = this_block();
  const std::uint32_t endpoint = endpoint_of(url);
  if (Header* const header = own_header(block, endpoint)) {
    add_alone(header->failed, 1U);
    store(header->dirty, 1U, std::memory_order_release);  // after the count: see take_dirty()
    return;
  }
  SharedCells& cells = shared(endpoint);
  std::atomic_ref{cells.failed}.fetch_add(1, std::memory_order_relaxed);  // ordered by the mark
  mark_shared(cells);
}

void Recorder::active_task(std::int64_t change) noexcept {
  if (Block* const block = this_block()) {
    store(block->tasks, 1U, std::memory_order_relaxed);  // ordered by net
    // Release: whoever sees this change sees what this thread did before it, the increment before the decrement.
    store(block->net, load(block->net, std::memory_order_relaxed) + change, std::memory_order_release);
    return;
  }
  store(shared_tasks().tasks, 1U, std::memory_order_relaxed);
  std::atomic_ref{shared_tasks().net}.fetch_add(change, std::memory_order_release);  // as above
}

void Recorder::add_coarse(std::uint32_t endpoint, std::uint32_t ms) noexcept {
  SharedCells& cells = shared(endpoint);
  std::atomic_ref{cells.octave[octave_of(ms)]}.fetch_add(1, std::memory_order_relaxed);  // ordered by the mark
  mark_shared(cells);
}

SharedCells& Recorder::shared(std::uint32_t endpoint) const noexcept {
  return arena_.at<SharedCells>(shared_line + endpoint * lines_per_shared);
}

std::uint32_t Recorder::endpoint_of(std::string_view url) noexcept {
  if (!limits_.by_endpoint) return other_endpoint;
  const std::uint32_t index = table_.find(likely_host_key(url));
  return index != 0 ? index : parse_endpoint(url);
}

std::uint32_t Recorder::parse_endpoint(std::string_view url) noexcept {
  const HostKey key = host_key(url);
  if (key.authority.empty()) return invalid_endpoint;
  if (const std::uint32_t index = table_.find(key)) return index;
  return table_.has_room_for(key) ? new_endpoint(key) : other_endpoint;
}

std::uint32_t Recorder::new_endpoint(const HostKey& key) noexcept {
  const std::lock_guard lock{Registry::instance().mutex()};
  if (const std::uint32_t index = table_.find(key)) return index;  // another thread was faster
  const std::uint32_t index = table_.insert(key);
  return index != 0 ? index : other_endpoint;
}

Block* Recorder::this_block() noexcept {
  Lane& lane = lanes[slot_];
  // Relaxed: a lane gets a client's id under the lock, after the client has begun.
  if (lane.id == load(head().id, std::memory_order_relaxed)) [[likely]] {
    return lane.block != nullptr ? lane.block : lane.block = new_block();
  }
  return meet_thread();
}

Block* Recorder::meet_thread() noexcept {
  if (slot_ == lane_count || lanes_closed) {
    begin_in_child();
    return nullptr;
  }
  Registry& registry = Registry::instance();
  const std::lock_guard lock{registry.mutex()};
  if (!begun()) begin();
  if (!registry.watch_this_thread()) {
    lanes_closed = true;
    return nullptr;
  }
  Lane& lane = lanes[slot_];
  Registry::give_back(lane);  // an earlier client had this slot
  arena_.hold();
  lane = {load(head().id, std::memory_order_relaxed), adopt_block(), &arena_};
  if (lane.block == nullptr) lane.block = new_block();
  return lane.block;
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
  const std::uint32_t line = arena_.take(block_lines(limits_));
  if (line == 0) return nullptr;
  Block& block = arena_.at<Block>(line);
  store(block.owner, 1U, std::memory_order_relaxed);  // not published yet
  std::atomic_ref newest{head().newest_block};
  std::uint32_t next = newest.load(std::memory_order_relaxed);
  do {
    store(block.next, next, std::memory_order_relaxed);
    // Release: whoever finds the block finds its link.
  } while (!newest.compare_exchange_weak(next, line, std::memory_order_release, std::memory_order_relaxed));
  return &block;
}

std::uint32_t Recorder::grow(std::uint32_t& link, std::uint32_t lines) noexcept {
  if (const std::uint32_t line = load(link, std::memory_order_relaxed)) return line;  // only this thread writes it
  const std::uint32_t line = arena_.take(lines);
  // Release: pairs with Reading, which may find the lines from now on.
  if (line != 0) store(link, line, std::memory_order_release);
  return line;
}

Header* Recorder::own_header(Block* block, std::uint32_t endpoint) noexcept {
  if (block == nullptr) return nullptr;
  const std::uint32_t page = grow(header_page(*block, endpoint), headers_per_page);
  return page != 0 ? &arena_.at<Header>(page + endpoint % headers_per_page) : nullptr;
}

std::uint32_t* Recorder::own_cell(Header& header, unsigned cell) noexcept {
  const unsigned index = cell / cells_per_chunk;
  const std::uint32_t mid = grow(header.mid[index / chunks_per_mid], sizeof(Mid) / Arena::line_bytes);
  if (mid == 0) return nullptr;
  std::uint32_t& link = arena_.at<Mid>(mid).chunk[index % chunks_per_mid];
  const std::uint32_t chunk = grow(link, sizeof(Chunk) / Arena::line_bytes);
  return chunk != 0 ? &arena_.at<Chunk>(chunk).cell[cell % cells_per_chunk] : nullptr;
}

void Recorder::begin_in_child() noexcept {
  if (begun()) return;
  const std::lock_guard lock{Registry::instance().mutex()};
  if (!begun()) begin();
}

void Recorder::begin() noexcept {
  const bool in_child = arena_.written() != 0;
  arena_.restart();
  arena_.write_ahead(fixed_lines(limits_), fixed_lines(limits_) + Arena::line_bytes);
  (void)arena_.take(fixed_lines(limits_) - 1);  // line 0 is never handed out
  looked_at_ = arena_.taken();
  store(head().seed, random_seed(this), std::memory_order_relaxed);  // ordered by the id
  if (in_child) reborn_();
  // Release: pairs with begun(), everything is in its place.
  store(head().id, Registry::instance().new_id(), std::memory_order_release);
}

std::size_t Recorder::fixed_bytes(const Limits& limits) noexcept {
  // Written in whole pages: what is left of the last is given to callers, and the ledger has to follow.
  return std::size_t{fixed_lines(limits)} * Arena::line_bytes + page_bytes + page_bytes * ledger_bytes_per_byte;
}

bool Recorder::write_ahead(std::size_t ledger_bytes, std::uint32_t folded_lines) noexcept {
  const std::uint32_t taken = arena_.taken();
  const std::uint32_t used = taken - looked_at_;
  looked_at_ = taken;
  constexpr std::size_t ledger_bytes_per_line = ledger_bytes_per_byte * Arena::line_bytes;
  const std::size_t unfolded = (arena_.written() - std::min(arena_.written(), folded_lines)) * ledger_bytes_per_line;
  const std::size_t spoken_for = memory_bytes() + ledger_bytes + unfolded;
  const std::size_t room = limits_.memory_bytes - std::min(limits_.memory_bytes, spoken_for);
  const std::size_t more = room / (Arena::line_bytes + ledger_bytes_per_line);
  arena_.write_ahead(std::max(least_ready, 2 * used), arena_.written() + static_cast<std::uint32_t>(more));
  return used != 0;
}

template <class Visit>
void Recorder::for_each_block(Visit visit) const {
  // Acquire: pairs with new_block(). Older links were published with the blocks that hold them.
  std::uint32_t line = load(head().newest_block, std::memory_order_acquire);
  while (line != 0) {
    Block& block = arena_.at<Block>(line);
    visit(block);
    line = load(block.next, std::memory_order_relaxed);
  }
}

bool Recorder::take_dirty(std::uint32_t endpoint) noexcept {
  bool dirty = false;
  const auto take = [&dirty](std::uint32_t& mark) {
    // Acquire: what was counted before the mark was set is read after this. Looking first spares idle lines the write.
    if (load(mark, std::memory_order_relaxed) != 0 &&
        std::atomic_ref{mark}.exchange(0, std::memory_order_acquire) != 0) {
      dirty = true;
    }
  };
  take(shared(endpoint).dirty);
  for_each_block([&](Block& block) {
    const std::uint32_t page = load(header_page(block, endpoint), std::memory_order_acquire);  // pairs with grow()
    if (page != 0) take(arena_.at<Header>(page + endpoint % headers_per_page).dirty);
  });
  return dirty;
}

std::int64_t Recorder::sum_tasks(bool& touched) const noexcept {
  std::int64_t sum = 0;
  const auto add = [&](Block& block) {
    sum += load(block.net, std::memory_order_acquire);  // pairs with active_task()
    touched = touched || load(block.tasks, std::memory_order_relaxed) != 0;
  };
  add(shared_tasks());
  for_each_block(add);
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

void Reading::open(const Recorder& recorder, std::span<const std::uint32_t> endpoints) {
  arena_ = &recorder.arena_;
  headers_.clear();
  shared_.clear();
  failed_ = 0;
  for (const std::uint32_t endpoint : endpoints) {
    shared_.push_back(&recorder.shared(endpoint));
    // Relaxed, as all counts: take_dirty() has ordered them.
    failed_ += static_cast<std::uint32_t>(load(shared_.back()->failed, std::memory_order_relaxed));
    recorder.for_each_block([&](Block& block) {
      const std::uint32_t page = load(header_page(block, endpoint), std::memory_order_acquire);  // pairs with grow()
      if (page == 0) return;
      headers_.push_back(&arena_->at<Header>(page + endpoint % headers_per_page));
      failed_ += load(headers_.back()->failed, std::memory_order_relaxed);
    });
  }
}

bool Reading::chunk(unsigned index, std::array<std::uint32_t, cells_per_chunk>& sums) const noexcept {
  if (index == octave_chunk) {
    sums.fill(0);
    for (SharedCells* const cells : shared_) {
      for (unsigned octave = 0; octave < octaves; ++octave) {
        sums[octave] += static_cast<std::uint32_t>(load(cells->octave[octave], std::memory_order_relaxed));
      }
    }
    return true;
  }
  bool found = false;
  for (Header* const header : headers_) {
    const std::uint32_t mid =
        load(header->mid[index / chunks_per_mid], std::memory_order_acquire);  // pairs with grow()
    if (mid == 0) continue;
    const std::uint32_t line = load(arena_->at<Mid>(mid).chunk[index % chunks_per_mid], std::memory_order_acquire);
    if (line == 0) continue;
    if (!found) sums.fill(0);
    Chunk& chunk = arena_->at<Chunk>(line);
    for (unsigned cell = 0; cell < cells_per_chunk; ++cell) {
      sums[cell] += load(chunk.cell[cell], std::memory_order_relaxed);
    }
    found = true;
  }
  return found;
}

}  // namespace event_metrics::inline v0::record
