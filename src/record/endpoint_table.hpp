// record/endpoint_table.hpp - the endpoints of one client: append-only, read without a lock, in the client's arena.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "record/arena.hpp"
#include "record/cells.hpp"
#include "record/host_key.hpp"
#include "record/key_block.hpp"
#include "record/ring.hpp"

namespace event_metrics::inline v0::record {

/// Endpoints by index. 0 is `other` and 1 `invalid`, which are in no table; the first found in a URL is 2.
inline constexpr std::uint32_t other_endpoint = 0;
inline constexpr std::uint32_t invalid_endpoint = 1;
inline constexpr std::uint32_t first_endpoint = 2;

/// The size from which a URL can be compared with a slot without a look at where it ends.
inline constexpr std::size_t block_url_bytes = 8 + block_bytes;

class EndpointTable {
 public:
  /// A table for `capacity` endpoints on lines(capacity) zeroed lines from `first_line`. The arena's first line is a
  /// Head, whose hash key must be set before the first find().
  EndpointTable(Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept;

  static std::uint32_t lines(std::uint32_t capacity) noexcept;

  /// One endpoint on one line. A key that is no BlockKey stands whole in the table's texts.
  struct alignas(Arena::line_bytes) Slot {
    std::uint32_t kind;
    std::uint32_t entry;      ///< entry_of(index, 0) for entry_if(); 0 where that may not believe a guess
    std::uint32_t size_bits;  ///< as many as `key` has bytes before the zeros
    std::uint32_t unused;
    alignas(16) char key[block_bytes];  ///< as in BlockKey
  };

  /// The index of a key, or 0 when it is not in the table, as an empty one never is. Any thread; never waits.
  std::uint32_t find(const HostKey& key) const noexcept;

  /// The same for a key shorter than a block.
  std::uint32_t find(const BlockKey& key) const noexcept;

  /// The entry of an https URL whose endpoint has the index `guess`, any that find() once returned to this thread; 0
  /// when it has another, or a long key. Reads block_url_bytes of `url`.
  std::uint32_t entry_if(std::uint32_t guess, const char* url) const noexcept;

  /// Adds a key that find() did not have and returns its index; 0 when the table is full. Only under a lock that keeps
  /// other inserters out; readers need none.
  std::uint32_t insert(const HostKey& key) noexcept;

  /// Whoever asks this first, and finds a key not there, knows that it never will be.
  bool is_full() const noexcept { return load(head_.found_count, std::memory_order_acquire) == capacity_; }
  /// At least as many as find() can have returned to anybody: what was counted for an endpoint is looked at from then
  /// on. Acquire: an index below the size has its key.
  std::uint32_t size() const noexcept { return load(head_.endpoint_count, std::memory_order_acquire); }

  /// The key with this index, first_endpoint <= index < first_endpoint + size(); it lives as long as the arena.
  HostKey at(std::uint32_t index) const noexcept;

 private:
  std::uint32_t home(const HostKey& key) const noexcept;
  template <class Matches>
  std::uint32_t find_from(std::uint32_t home, Matches matches) const noexcept;
  char* long_text(const Slot& slot) const noexcept;
  std::string_view text(const Slot& slot) const noexcept;

  Head& head_;
  Slot* slots_;           // by index. The first two are of no URL: their entries are 0
  std::uint32_t* index_;  // by hash: a slot's number, and above it more of the hash: hardly any slot is read in vain
  std::uint32_t mask_;
  std::uint32_t capacity_;
  char* texts_;  // by index, of keys that are no BlockKeys: whatever else takes memory, they have theirs
};

template <class Matches>
std::uint32_t EndpointTable::find_from(std::uint32_t home, Matches matches) const noexcept {
  for (std::uint32_t at = home;; ++at) {  // ends: at least three quarters of the places are empty
    // Acquire: pairs with insert(), the slot is complete.
    const std::uint32_t place = load(index_[at & mask_], std::memory_order_acquire);
    if (place == 0) return 0;
    const std::uint32_t index = place & most_endpoints;
    if ((place ^ home) <= most_endpoints && matches(slots_[index])) return index;
  }
}

inline std::uint32_t EndpointTable::find(const BlockKey& key) const noexcept {
  return find_from(spread(key.bytes.hash(head_.hash_key)),
                   [&](const Slot& slot) { return slot.kind == key.kind && key.bytes.equals(slot.key); });
}

inline std::uint32_t EndpointTable::entry_if(std::uint32_t guess, const char* url) const noexcept {
  if (guess == 0) [[unlikely]]
    return 0;  // where nothing is guessed nothing need be compared
  const Slot& slot = slots_[guess];
  if (std::memcmp(url, "https://", 8) != 0 || !KeyBlock::load(url + 8).agrees(slot.key, slot.size_bits)) return 0;
  return slot.entry;
}

}  // namespace event_metrics::inline v0::record
