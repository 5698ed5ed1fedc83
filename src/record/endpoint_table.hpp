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

class EndpointTable {
 public:
  /// A table for `capacity` endpoints on lines(capacity) zeroed lines from `first_line`. The arena's first line is a
  /// Head, whose seed must be set before the first find().
  EndpointTable(Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept;

  static std::uint32_t lines(std::uint32_t capacity) noexcept;

  /// The index of a key, or 0 when it is not in the table, as an empty one never is. Any thread; never waits.
  std::uint32_t find(const HostKey& key) const noexcept;

  /// One line. A key that is no BlockKey stands whole in lines of its own.
  struct alignas(Arena::line_bytes) Slot {
    std::uint32_t kind;       ///< 0 while empty; stored last
    std::uint32_t entry;      ///< entry_of(index, 0)
    std::uint32_t size_bits;  ///< as many as `key` has bytes before the zeros
    std::uint32_t long_key;
    char key[block_bytes] alignas(16);  ///< as in BlockKey
  };

  /// The slot of a key shorter than a block; nullptr when it is not in the table.
  const Slot* find(const BlockKey& key) const noexcept;

  /// The entry of an https URL whose slot is what `hint` says; 0 when it is not. Reads block_url_bytes of `url`.
  std::uint32_t hinted(std::uint32_t hint, const char* url) const noexcept;

  /// What hinted() wants to hear: never 0, which is no slot's.
  std::uint32_t hint_for(const Slot& slot) const noexcept {
    return static_cast<std::uint32_t>(&slot - slots_ + 1) * Arena::line_bytes;
  }

  /// Adds a key that find() did not have and returns its index; 0 when the table or the arena is full. Only under a
  /// lock that keeps other inserters out; readers need none.
  std::uint32_t insert(const HostKey& key) noexcept;

  /// Whether insert() would have room: no lock is worth taking when it has not.
  bool has_room_for(const HostKey& key) const noexcept;
  std::uint32_t size() const noexcept;

  /// The key with this index, first_endpoint <= index < first_endpoint + size(); it lives as long as the arena.
  HostKey at(std::uint32_t index) const noexcept;

 private:
  std::uint64_t home(const HostKey& key) const noexcept;
  Slot& slot(std::uint64_t position) const noexcept { return slots_[position & mask_]; }
  std::string_view text(const Slot& slot) const noexcept;
  std::uint32_t* positions() const noexcept { return reinterpret_cast<std::uint32_t*>(slots_ + mask_ + 1); }

  Arena& arena_;
  Head& head_;
  Slot* slots_;  // behind them their positions, by index
  std::uint32_t mask_;
  std::uint32_t capacity_;
};

inline const EndpointTable::Slot* EndpointTable::find(const BlockKey& key) const noexcept {
  for (std::uint64_t at = key.bytes.hash(head_.hash_key) >> 32U;; ++at) {  // ends: half of the slots are empty
    Slot& candidate = slot(at);
    // Acquire: pairs with insert(), the rest is there before the kind.
    const std::uint32_t kind = load(candidate.kind, std::memory_order_acquire);
    if (kind == key.kind && key.bytes.equals(candidate.key)) [[likely]]
      return &candidate;
    if (kind == 0) return nullptr;
  }
}

inline std::uint32_t EndpointTable::hinted(std::uint32_t hint, const char* url) const noexcept {
  // Before the first slot lies a line that nobody writes: no byte of it is compared, and its entry is 0.
  const auto& slot = *reinterpret_cast<const Slot*>(reinterpret_cast<const char*>(slots_ - 1) + hint);
  if (std::memcmp(url, "https://", 8) != 0) return 0;
  return KeyBlock::load(url + 8).agrees(slot.key, slot.size_bits) ? slot.entry : 0;
}

}  // namespace event_metrics::inline v0::record
