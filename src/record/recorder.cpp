#include "record/recorder.hpp"

#include <sys/random.h>

#include <algorithm>
#include <random>
#include <string_view>
#include <utility>

namespace event_metrics::inline v0::record {
namespace {

constexpr std::uint32_t marks_line = 2;  // behind the head and the shared active tasks
constexpr std::uint32_t shared_line = marks_line + sizeof(Marks) / Arena::line_bytes;
constexpr std::uint32_t lines_per_shared = sizeof(SharedCells) / Arena::line_bytes;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t ledger_bytes_per_byte = 6;  // a chunk of 256 bytes here is one of 1.5 KiB there
constexpr std::uint32_t least_ready = (1U << 20U) / Arena::line_bytes;

// Between two looks at the rings: the least, the most while there is something in them, and the most.
constexpr std::chrono::milliseconds least_pause{10};
constexpr std::chrono::milliseconds busy_pause{100};
constexpr std::chrono::seconds longest_pause{5};

constexpr std::uint32_t endpoints_of(const Recorder::Limits& limits) { return first_endpoint + limits.max_endpoints; }

constexpr std::uint32_t table_line(const Recorder::Limits& limits) {
  return shared_line + endpoints_of(limits) * lines_per_shared;
}

constexpr std::uint32_t block_lines(const Recorder::Limits& limits) {
  const std::size_t bytes = sizeof(Block) + endpoints_of(limits) * sizeof(Header*);
  return static_cast<std::uint32_t>((bytes - 1) / Arena::line_bytes + 1);
}

std::uint32_t drained_line(const Recorder::Limits& limits) {
  return table_line(limits) + EndpointTable::lines(limits.max_endpoints);
}

std::uint32_t fixed_lines(const Recorder::Limits& limits) { return drained_line(limits) + block_lines(limits); }

// A block's index of headers stands right behind it, in the lines taken for both.
Header*& header_of(Block& block, std::size_t endpoint) noexcept {
  return reinterpret_cast<Header**>(&block + 1)[endpoint];
}

std::uint16_t& guess(Block& block, const char* url) noexcept {
  return block.guess[reinterpret_cast<std::uintptr_t>(url) / 32 % guess_count];
}

std::uint8_t& mark_of(Marks& marks, std::uint32_t endpoint) noexcept { return marks.mark[endpoint % Marks::count]; }

// Of the chunk with this index; nullptr when its thread has none.
Mid* mid_of(Header& header, unsigned index) noexcept {
  if (index < chunks_per_mid) return &header.near;
  return load(header.mid[index / chunks_per_mid - 1], std::memory_order_acquire);  // pairs with grow()
}

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

Recorder::Recorder(const Limits& limits, std::function<void()> reborn)
    : Recorder{limits, std::move(reborn), *new Arena{limits.memory_bytes}} {}

Recorder::Recorder(const Limits& limits, std::function<void()> reborn, Arena& arena)
    : head_{arena.at<Head>(0)},
      table_{arena, table_line(limits), limits.max_endpoints},
      block_url_bytes_{limits.by_endpoint ? block_url_bytes : std::string_view{}.max_size()},
      limits_{limits},
      reborn_{std::move(reborn)},
      arena_{arena},
      drained_{&at<Block>(drained_line(limits))} {
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
  if (held_arenas[slot_] == &arena_) Registry::give_back(slot_);
  registry.leave(arena_, slot_);
  arena_.drop();  // a thread that has a block here keeps it until it ends or meets another client
}

void Recorder::success(std::string_view url, std::chrono::nanoseconds duration) noexcept {
  record(url, cell_of(duration));
}

void Recorder::failed(std::string_view url) noexcept { record(url, failed_cell); }

// Most processes have one client: its lane's address is known before anything of the client has been read.
inline void Recorder::record(std::string_view url, unsigned cell) noexcept {
  if (is_known(lanes[0])) [[likely]]
    return record_in(lanes[0], url, cell);
  record_elsewhere(url, cell);
}

// What nearly every call comes down to: the slot of the URL's endpoint, and an entry in this thread's ring. Whatever is
// not as usual is left to the next function, called last, so that none of them needs a stack.
inline void Recorder::record_in(Lane& lane, std::string_view url, unsigned cell) noexcept {
  if (url.size() < block_url_bytes_) [[unlikely]]
    return record_by_key(url, cell);
  const std::uint32_t entry = table_.entry_if(guess(*lane.block, url.data()), url.data());
  if (entry == 0) [[unlikely]]
    return record_by_key(url, cell);
  put(lane, entry, cell);
}

[[gnu::noinline]] void Recorder::record_elsewhere(std::string_view url, unsigned cell) noexcept {
  if (is_known(lanes[slot_])) return record_in(lanes[slot_], url, cell);
  record_slowly(url, cell);
}

// At the URL's place lay another one before, or none; or it is short, or not looked at.
[[gnu::noinline]] void Recorder::record_by_key(std::string_view url, unsigned cell) noexcept {
  Lane& lane = lanes[slot_];
  if (!limits_.by_endpoint) return put(lane, entry_of(other_endpoint, 0), cell);
  BlockKey key;
  if (!likely_block_key(url, key)) return record_slowly(url, cell);
  const std::uint32_t endpoint = table_.find(key);  // 0, when there can be no more, is `other`
  if (endpoint == 0 && !(table_.is_full() && is_host(key))) return record_slowly(url, cell);
  if (url.size() >= block_url_bytes && url[4] == 's' && endpoint < most_guessed) {
    guess(*lane.block, url.data()) = static_cast<std::uint16_t>(endpoint);
  }
  put(lane, entry_of(endpoint, 0), cell);
}

[[gnu::noinline]] void Recorder::record_slowly(std::string_view url, unsigned cell) noexcept {
  const bool has_place = own_block() != nullptr;  // first: in a forked child it empties the table
  const std::uint32_t endpoint = endpoint_of(url);
  if (!has_place) return count_shared(endpoint, cell);
  put(lanes[slot_], entry_of(endpoint, 0), cell);
}

inline bool Recorder::is_known(const Lane& lane) const noexcept {
  // Relaxed: a lane gets a client's id under the lock, after the client has begun.
  return lane.id == load(head_.id, std::memory_order_relaxed);
}

inline void Recorder::put(Lane& lane, std::uint32_t endpoint_entry, unsigned cell) noexcept {
  std::uint32_t* const place = lane.place;
  if (load(*place, std::memory_order_relaxed) != 0) return count(*lane.block, endpoint_entry, cell);
  store(*place, endpoint_entry | cell, std::memory_order_relaxed);  // see Ring
  // The flushing thread has written there last: by the time we get there its line should have come.
  __builtin_prefetch(place + 32, 1);
  lane.place = place + 1 == lane.end ? lane.end - ring_entries : place + 1;
}

// In cells that only the calling thread writes; inline where they are there and below 1024 ms.
inline void Recorder::count(Block& block, std::uint32_t endpoint_entry, unsigned cell) noexcept {
  const std::uint32_t endpoint = record::endpoint_of(endpoint_entry);
  Header* const header = load(header_of(block, endpoint), std::memory_order_relaxed);
  if (header != nullptr) [[likely]] {
    if (std::uint32_t* const word = near_word(*header, cell)) [[likely]]
      return add_one(block, endpoint, *word);
  }
  count_anywhere(block, endpoint, cell);
}

inline void Recorder::add_one(Block& block, std::uint32_t endpoint, std::uint32_t& word) noexcept {
  add_alone(word, 1U);
  // After the count, see take_marks(); a byte, since an unconditional store is all that marking may be.
  store(mark_of(block.marks, endpoint), std::uint8_t{1}, std::memory_order_release);
}

inline std::uint32_t* Recorder::near_word(Header& header, unsigned cell) noexcept {
  if (cell >= chunks_per_mid * cells_per_chunk) return cell == failed_cell ? &header.failed : nullptr;
  Chunk* const chunk = load(header.near.chunk[cell / cells_per_chunk], std::memory_order_relaxed);
  return chunk != nullptr ? &chunk->cell[cell % cells_per_chunk] : nullptr;
}

void Recorder::active_task(std::int64_t change) noexcept {
  if (is_known(lanes[0])) [[likely]]
    return add_task(*lanes[0].block, change);
  task_elsewhere(change);
}

inline void Recorder::add_task(Block& block, std::int64_t change) noexcept {
  store(block.tasks.touched, 1U, std::memory_order_relaxed);  // ordered by net
  // Release: whoever sees this change sees what this thread did before it, the increment before the decrement.
  store(block.tasks.net, load(block.tasks.net, std::memory_order_relaxed) + change, std::memory_order_release);
}

[[gnu::noinline]] void Recorder::task_elsewhere(std::int64_t change) noexcept {
  if (Block* const block = own_block()) return add_task(*block, change);
  store(shared_tasks().touched, 1U, std::memory_order_relaxed);
  std::atomic_ref{shared_tasks().net}.fetch_add(change, std::memory_order_release);  // as above
}

[[gnu::noinline]] void Recorder::count_anywhere(Block& block, std::uint32_t endpoint, unsigned cell) noexcept {
  if (Header* const header = grow(header_of(block, endpoint))) {
    if (std::uint32_t* const word = own_word(*header, cell)) return add_one(block, endpoint, *word);
  }
  count_shared(endpoint, cell);
}

void Recorder::count_shared(std::uint32_t endpoint, unsigned cell) noexcept {
  SharedCells& cells = shared(endpoint);
  std::uint64_t& word = cell == failed_cell ? cells.failed : cells.octave[coarse_cell(cell) - fine_cells];
  std::atomic_ref{word}.fetch_add(1, std::memory_order_relaxed);  // ordered by the mark
  // An exchange, because a plain store would end the release sequence of the thread that marked before.
  std::atomic_ref{mark_of(shared_marks(), endpoint)}.exchange(1, std::memory_order_release);
}

Marks& Recorder::shared_marks() const noexcept { return at<Marks>(marks_line); }

SharedCells& Recorder::shared(std::uint32_t endpoint) const noexcept {
  return at<SharedCells>(shared_line + endpoint * lines_per_shared);
}

std::uint32_t Recorder::endpoint_of(std::string_view url) noexcept {
  if (!limits_.by_endpoint) return other_endpoint;
  if (const std::uint32_t index = table_.find(likely_host_key(url))) return index;
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

Block* Recorder::own_block() noexcept {
  if (is_known(lanes[slot_])) return lanes[slot_].block;
  if (slot_ == lane_count || lanes_closed) {
    begin_in_child();
    return nullptr;
  }
  // A thread that has been met and has no block found no memory for one: now there may be some.
  Block* const block = held_arenas[slot_] == &arena_ ? new_block() : meet_thread();
  if (block != nullptr) {
    const std::uint64_t id = load(head_.id, std::memory_order_relaxed);  // set before the block was made
    std::uint32_t* const ring = block->ring.entry;
    lanes[slot_] = {id, block, ring + block->ring.head, ring + ring_entries};
  }
  return block;
}

Block* Recorder::meet_thread() noexcept {
  Registry& registry = Registry::instance();
  const std::lock_guard lock{registry.mutex()};
  if (!begun()) begin();
  if (!registry.watch_this_thread()) {
    lanes_closed = true;
    return nullptr;
  }
  Registry::give_back(slot_);  // an earlier client had this slot
  arena_.hold();
  held_arenas[slot_] = &arena_;
  Block* const block = adopt_block();
  return block != nullptr ? block : new_block();
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

template <class T>
T* Recorder::grow(T*& link) noexcept {
  if (T* const there = load(link, std::memory_order_relaxed)) return there;  // only this thread writes it
  const std::uint32_t line = arena_.take(sizeof(T) / Arena::line_bytes);
  if (line == 0) return nullptr;
  store(link, &at<T>(line), std::memory_order_release);  // pairs with Reading, which may find the lines from now on
  return &at<T>(line);
}

std::uint32_t* Recorder::own_word(Header& header, unsigned cell) noexcept {
  if (cell == failed_cell) return &header.failed;
  const unsigned index = cell / cells_per_chunk;
  Mid* const mid = index < chunks_per_mid ? &header.near : grow(header.mid[index / chunks_per_mid - 1]);
  Chunk* const chunk = mid != nullptr ? grow(mid->chunk[index % chunks_per_mid]) : nullptr;
  return chunk != nullptr ? &chunk->cell[cell % cells_per_chunk] : nullptr;
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
  link(drained_line(limits_));
  head_.hash_key = random_key(this);  // nobody looks before the id is there
  if (in_child) reborn_();
  // Release: pairs with begun(), everything is in its place.
  store(head_.id, Registry::instance().new_id(), std::memory_order_release);
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

void Recorder::drain() noexcept {
  for_each_block([this](Block& block) {
    Ring& ring = block.ring;
    std::uint32_t held = 0;
    for (; held < ring_entries; ++held) {
      std::uint32_t& place = ring.entry[ring.tail % ring_entries];
      const std::uint32_t entry = load(place, std::memory_order_relaxed);  // see Ring
      if (entry == 0) break;
      store(place, 0U, std::memory_order_relaxed);
      ++ring.tail;
      count(*drained_, entry, cell_of_entry(entry));
    }
    fullest_ = std::max(fullest_, held);
  });
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

template <class Visit>
void Recorder::for_each_block(Visit visit) const {
  // Acquire: pairs with new_block(). Older links were published with the blocks that hold them.
  std::uint32_t line = load(head_.newest_block, std::memory_order_acquire);
  while (line != 0) {
    Block& block = at<Block>(line);
    visit(block);
    line = load(block.next, std::memory_order_relaxed);
  }
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

void Reading::open(const Recorder& recorder, std::span<const std::uint32_t> endpoints) {
  headers_.clear();
  shared_.clear();
  failed_ = 0;
  for (const std::uint32_t endpoint : endpoints) {
    shared_.push_back(&recorder.shared(endpoint));
    // Relaxed, as all counts: take_dirty() has ordered them.
    failed_ += static_cast<std::uint32_t>(load(shared_.back()->failed, std::memory_order_relaxed));
    recorder.for_each_block([&](Block& block) {
      Header* const header = load(header_of(block, endpoint), std::memory_order_acquire);  // pairs with grow()
      if (header == nullptr) return;
      headers_.push_back(header);
      failed_ += load(headers_.back()->failed, std::memory_order_relaxed);
    });
  }
}

bool Reading::has_chunks_from(unsigned index) const noexcept {
  if (index == 0 || index == octave_chunk) return true;
  return std::ranges::any_of(headers_, [index](Header* header) { return mid_of(*header, index) != nullptr; });
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
    Mid* const mid = mid_of(*header, index);
    if (mid == nullptr) continue;
    Chunk* const chunk = load(mid->chunk[index % chunks_per_mid], std::memory_order_acquire);  // pairs with grow()
    if (chunk == nullptr) continue;
    if (!found) sums.fill(0);
    for (unsigned cell = 0; cell < cells_per_chunk; ++cell) {
      sums[cell] += load(chunk->cell[cell], std::memory_order_relaxed);
    }
    found = true;
  }
  return found;
}

}  // namespace event_metrics::inline v0::record
