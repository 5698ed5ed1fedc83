// What a call does, and what becomes of its entry: the part of the Recorder that is built to be fast.

#include <algorithm>
#include <string_view>

#include "record/host_label.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0::record {
namespace {

std::uint16_t& guess(Block& block, const char* url) noexcept {
  return block.guess[reinterpret_cast<std::uintptr_t>(url) / 32 % guess_count];
}

}  // namespace

void Recorder::success(std::string_view url, std::chrono::nanoseconds duration) noexcept {
  record(url, cell_of(duration));
}

void Recorder::failed(std::string_view url) noexcept { record(url, failed_cell); }

// Most processes have one client: its lane's address is known before anything of the client has been read.
inline void Recorder::record(std::string_view url, unsigned cell) noexcept {
  if (is_known(this_thread.first_lane)) [[likely]]
    return record_in(this_thread.first_lane, url, cell);
  record_elsewhere(url, cell);
}

// What nearly every call comes down to: the slot of the URL's endpoint, and an entry in this thread's ring. Whatever is
// not as usual is left to the next function, called last, so that this one needs no stack.
inline void Recorder::record_in(Lane& lane, std::string_view url, unsigned cell) noexcept {
  if (url.size() < block_url_bytes_) [[unlikely]]
    return record_by_key(url, cell, lane);
  const std::uint32_t entry = table_.entry_if(guess(*lane.block, url.data()), url.data());
  if (entry == 0) [[unlikely]]
    return record_by_key(url, cell, lane);
  put(lane, entry, cell);
}

[[gnu::noinline]] void Recorder::record_elsewhere(std::string_view url, unsigned cell) noexcept {
  Lane& lane = this_thread.holdings->lanes[slot_];
  if (is_known(lane)) return record_in(lane, url, cell);
  record_slowly(url, cell);
}

// At the URL's place lay another one before, or none, or one that counts as `other`; or it is short, or not looked at.
[[gnu::noinline]] void Recorder::record_by_key(std::string_view url, unsigned cell, Lane& lane) noexcept {
  if (!limits_.by_endpoint) return put(lane, entry_of(other_endpoint, 0), cell);
  BlockKey key;
  if (!likely_block_key(url, key)) [[unlikely]]
    return record_slowly(url, cell);
  const bool is_full = table_.is_full();  // first: what made it full is found then
  const std::uint32_t spelling = table_.find(key);
  if (spelling == 0) [[unlikely]] {
    if (is_full && is_label(key)) return put(lane, entry_of(other_endpoint, 0), cell);
    if (is_no_host(url)) return put(lane, entry_of(invalid_endpoint, 0), cell);
    return record_slowly(url, cell);
  }
  if (url.size() >= block_url_bytes && url[4] == 's' && spelling < most_guessed) {
    guess(*lane.block, url.data()) = static_cast<std::uint16_t>(spelling);
  }
  put(lane, entry_of(table_.endpoint(spelling), 0), cell);
}

[[gnu::noinline]] void Recorder::record_slowly(std::string_view url, unsigned cell) noexcept {
  const bool has_place = own_block() != nullptr;  // first: in a forked child it empties the table
  const std::uint32_t endpoint = endpoint_of(url);
  if (!has_place) return count_shared(endpoint, within_range(cell));
  put(this_thread.lane(slot_), entry_of(endpoint, 0), cell);
}

inline void Recorder::put(Lane& lane, std::uint32_t endpoint_entry, unsigned cell) noexcept {
  std::uint32_t* const place = lane.place;
  if (load(*place, std::memory_order_relaxed) != 0) return count(*lane.block, endpoint_entry, cell);
  store(*place, endpoint_entry | cell, std::memory_order_relaxed);  // see Ring
  // The flushing thread has written there last: by the time we get there its line should have come.
  constexpr std::size_t two_lines = 2 * Arena::line_bytes;
  __builtin_prefetch(reinterpret_cast<const std::byte*>(place) + two_lines, 1);
  lane.place = place + 1 == lane.end ? lane.end - ring_entries : place + 1;
}

// In cells that only the calling thread writes; inline where they are there and below 1024 ms.
inline void Recorder::count(Block& block, std::uint32_t endpoint_entry, unsigned cell) noexcept {
  const std::uint32_t endpoint = record::endpoint_of(endpoint_entry);
  Header* const header = load(header_of(block, endpoint), std::memory_order_relaxed);
  if (header != nullptr) [[likely]] {
    if (std::uint64_t* const word = near_word(*header, cell)) [[likely]]
      return add_one(block, endpoint, *word);
  }
  count_anywhere(block, endpoint, cell);
}

inline void Recorder::add_one(Block& block, std::uint32_t endpoint, std::uint64_t& word) noexcept {
  add_alone(word, std::uint64_t{1});
  // After the count, see take_marks(); a byte, since an unconditional store is all that marking may be.
  store(mark_of(block.marks, endpoint), std::uint8_t{1}, std::memory_order_release);
}

inline std::uint64_t* Recorder::near_word(Header& header, unsigned cell) noexcept {
  if (cell >= chunks_per_mid * cells_per_chunk) return cell == failed_cell ? &header.failed : nullptr;
  Chunk* const chunk = load(header.near.chunk[cell / cells_per_chunk], std::memory_order_relaxed);
  return chunk != nullptr ? &chunk->cell[cell % cells_per_chunk] : nullptr;
}

// On a cache line of its own: from two it takes a quarter of a nanosecond more.
[[gnu::aligned(Arena::line_bytes)]] void Recorder::active_task(std::int64_t change) noexcept {
  if (is_known(this_thread.first_lane)) [[likely]]
    return add_task(*this_thread.first_lane.block, change);
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
  cell = within_range(cell);
  if (Header* const header = grow(header_of(block, endpoint))) {
    if (std::uint64_t* const word = own_word(*header, cell)) return add_one(block, endpoint, *word);
  }
  count_shared(endpoint, cell);
}

// A duration beyond the range is counted as such, and in the last cell.
unsigned Recorder::within_range(unsigned cell) noexcept {
  if (cell != beyond_cell) return cell;
  std::atomic_ref{shared_tasks().beyond_range}.fetch_add(1, std::memory_order_relaxed);  // a figure, orders nothing
  return fine_cells - 1;
}

void Recorder::count_shared(std::uint32_t endpoint, unsigned cell) noexcept {
  SharedCells& cells = shared(endpoint);
  std::uint64_t& word = cell == failed_cell ? cells.failed : cells.octave[coarse_cell(cell) - fine_cells];
  std::atomic_ref{word}.fetch_add(1, std::memory_order_relaxed);  // ordered by the mark
  // An exchange, because a plain store would end the release sequence of the thread that marked before.
  std::atomic_ref{mark_of(shared_marks(), endpoint)}.exchange(1, std::memory_order_release);
}

template <class T>
T* Recorder::grow(T*& link) noexcept {
  if (T* const there = load(link, std::memory_order_relaxed)) return there;  // only this thread writes it
  const std::uint32_t line = arena_->take(sizeof(T) / Arena::line_bytes);
  if (line == 0) return nullptr;
  store(link, &at<T>(line), std::memory_order_release);  // pairs with Reading, which may find the lines from now on
  return &at<T>(line);
}

std::uint64_t* Recorder::own_word(Header& header, unsigned cell) noexcept {
  if (cell == failed_cell) return &header.failed;
  const unsigned index = cell / cells_per_chunk;
  Mid* const mid = index < chunks_per_mid ? &header.near : grow(header.mid[index / chunks_per_mid - 1]);
  Chunk* const chunk = mid != nullptr ? grow(mid->chunk[index % chunks_per_mid]) : nullptr;
  return chunk != nullptr ? &chunk->cell[cell % cells_per_chunk] : nullptr;
}

void Recorder::drain() noexcept {
  for_each_block([this](Block& block) {
    Ring& ring = block.ring;
    std::uint32_t held = 0;
    for (; held < ring_entries; ++held) {
      std::uint32_t& place = ring.entry[ring.tail % ring_entries];
      const std::uint32_t entry = load(place, std::memory_order_relaxed);  // see Ring
      if (entry == 0) break;
      if (held == 0) extend(least_ready_);  // each entry may want lines, and this thread need not go without
      store(place, 0U, std::memory_order_relaxed);
      ++ring.tail;
      count(*drained_, entry, cell_of_entry(entry));
    }
    fullest_ = std::max(fullest_, held);
  });
}

}  // namespace event_metrics::inline v0::record
