// delivery/endpoint_table.hpp - the endpoints of one client and how URLs spell them: append-only, read without a lock,
// in the client's arena.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "delivery/host_key.hpp"
#include "delivery/host_label.hpp"
#include "delivery/key_bytes.hpp"
#include "record/arena.hpp"
#include "record/layout.hpp"
#include "record/ring.hpp"

namespace event_metrics::inline v0::delivery {

/// Endpoints by index. 0 is `other` and 1 `invalid`, which are in no table; the first found in a URL is 2.
inline constexpr std::uint32_t other_endpoint = 0;
inline constexpr std::uint32_t invalid_endpoint = 1;
inline constexpr std::uint32_t first_endpoint = 2;

/// The size from which a URL can be compared with a slot without a look at where it ends.
inline constexpr std::size_t short_key_url_bytes = 8 + key_bytes;

/// An endpoint is a label. It is found by its spellings: keys of URLs, of which the label, as the key of a URL whose
/// scheme has no port, is the first. Each has room for one more of a short one; what is not remembered has to be
/// resolved by host_label() and find() with its answer.
class EndpointTable {
 public:
  /// A table for `capacity` endpoints on lines(capacity) zeroed lines from `first_line`. The arena's first line is a
  /// Head, whose seed must be set before the first find().
  EndpointTable(const record::Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept;

  static std::uint32_t lines(std::uint32_t capacity) noexcept;

  /// On the first line. Found are the endpoints that find() returns, fewer than there are while one is added.
  struct Counts {
    std::uint32_t endpoints;
    std::uint32_t found;
  };

  /// One spelling on one line. One that is no ShortKey is its endpoint's label, and stands whole there.
  struct alignas(record::Arena::line_bytes) Slot {
    std::uint32_t shape;
    std::uint32_t word;       ///< word_of(endpoint, 0) for word_if(); 0 where that may not believe a guess
    std::uint32_t size_bits;  ///< as many as `key` has bytes before the zeros
    std::uint32_t endpoint;
    alignas(16) char key[key_bytes];  ///< as in ShortKey
    std::uint32_t claimed;            ///< 1 once a thread has begun to write a second spelling here
  };

  /// The number of a spelling, or 0 when it is not in the table, as an empty one never is. Any thread; never waits.
  std::uint32_t find(const HostKey& spelling) const noexcept;

  /// The same for a key shorter than KeyBytes.
  std::uint32_t find(const ShortKey& spelling) const noexcept;

  /// The index of the endpoint that is spelled like this; what find() returned.
  std::uint32_t endpoint(std::uint32_t spelling) const noexcept { return slots_[spelling].endpoint; }

  /// word_of(endpoint, 0) for an https URL that is spelled like `guess`, any that find() once returned to this thread;
  /// 0 when it is spelled otherwise, or when nothing can be said. Reads short_key_url_bytes of `url`.
  std::uint32_t word_if(std::uint32_t guess, const char* url) const noexcept;

  /// Adds an endpoint whose label find() did not have and returns its index; 0 when the table is full. Only under a
  /// lock that keeps other inserters out; nothing else needs one.
  std::uint32_t insert(const HostLabel& label) noexcept;

  /// Remembers `spelling` as the second one of the endpoint with this index, if it is short and there is none yet. Any
  /// thread; never waits.
  void remember(const HostKey& spelling, std::uint32_t endpoint) noexcept;

  /// Whoever asks this first, and finds a label not there, knows that it never will be.
  bool is_full() const noexcept { return record::load(counts_.found, std::memory_order_acquire) == capacity_; }
  /// At least as many endpoints as find() can have returned spellings of to anybody: what was counted for one is looked
  /// at from then on. Acquire: an index below the size has its label.
  std::uint32_t size() const noexcept { return record::load(counts_.endpoints, std::memory_order_acquire); }

  /// The label with this index, first_endpoint <= index < first_endpoint + size(); it lives as long as the arena.
  std::string_view at(std::uint32_t index) const noexcept;

 private:
  std::uint32_t home(const HostKey& key) const noexcept;
  template <class Matches>
  std::uint32_t find_from(std::uint32_t home, Matches matches) const noexcept;
  bool is(const Slot& slot, const HostKey& key) const noexcept;
  void add(std::uint32_t number, const HostKey& spelling, std::uint32_t endpoint) noexcept;

  const record::Seed& seed_;
  Slot* slots_;  // by number. The first is of no URL: its word is 0. Then the labels, then the second spellings
  std::uint32_t* index_;  // by hash: a slot's number, and above it more of the hash: hardly any slot is read in vain
  std::uint32_t mask_;
  std::uint32_t capacity_;
  Counts& counts_;
  HostLabel* labels_;  // by endpoint, less first_endpoint
};

template <class Matches>
std::uint32_t EndpointTable::find_from(std::uint32_t home, Matches matches) const noexcept {
  for (std::uint32_t at = home;; ++at) {  // ends: at least half of the places are empty
    // Acquire: pairs with add(), the slot is complete.
    const std::uint32_t place = record::load(index_[at & mask_], std::memory_order_acquire);
    if (place == 0) return 0;
    const std::uint32_t spelling = place & record::most_rows;
    if ((place ^ home) <= record::most_rows && matches(slots_[spelling])) return spelling;
  }
}

inline std::uint32_t EndpointTable::find(const ShortKey& spelling) const noexcept {
  return find_from(spread(spelling.bytes.hash(seed_)),
                   [&](const Slot& slot) { return slot.shape == spelling.shape && spelling.bytes.equals(slot.key); });
}

inline std::uint32_t EndpointTable::word_if(std::uint32_t guess, const char* url) const noexcept {
  if (guess == 0) [[unlikely]]
    return 0;  // where nothing is guessed nothing need be compared
  const Slot& slot = slots_[guess];
  if (std::memcmp(url, "https://", 8) != 0 || !KeyBytes::load(url + 8).agrees(slot.key, slot.size_bits)) return 0;
  return slot.word;
}

}  // namespace event_metrics::inline v0::delivery
