#include "record/endpoint_table.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace event_metrics::inline v0::record {
namespace {

std::uint32_t places(std::uint32_t capacity) noexcept { return std::bit_ceil(4 * capacity); }

std::uint32_t kind_of(const HostKey& key) noexcept { return kind_of(key.authority.size(), key.scheme); }

bool is_short(const HostKey& key) noexcept { return key.authority.size() < block_bytes; }

// A short key as in BlockKey.
KeyBlock short_block(std::string_view text) noexcept {
  char block[block_bytes] = {};
  *std::copy(text.begin(), text.end(), block) = '/';
  return KeyBlock::load(block);
}

constexpr std::uint32_t text_lines = (longest_authority - 1) / Arena::line_bytes + 1;

std::uint32_t index_lines(std::uint32_t capacity) noexcept {
  constexpr std::uint32_t places_per_line = Arena::line_bytes / sizeof(std::uint32_t);
  return (places(capacity) - 1) / places_per_line + 1;
}

}  // namespace

EndpointTable::EndpointTable(Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept
    : head_{arena.at<Head>(0)},
      slots_{&arena.at<Slot>(first_line)},
      index_{&arena.at<std::uint32_t>(first_line + first_endpoint + capacity)},
      mask_{places(capacity) - 1},
      capacity_{capacity},
      texts_{&arena.at<char>(first_line + first_endpoint + capacity + index_lines(capacity))} {
  static_assert(sizeof(Slot) == Arena::line_bytes);
}

std::uint32_t EndpointTable::lines(std::uint32_t capacity) noexcept {
  return first_endpoint + capacity + index_lines(capacity) + capacity * text_lines;
}

std::uint32_t EndpointTable::home(const HostKey& key) const noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
  if (is_short(key)) return spread(short_block(key.authority).hash(head_.hash_key));
  const std::string_view text = key.authority;
  std::uint64_t hash = KeyBlock::load(text.data()).hash(head_.hash_key);
  for (std::size_t at = block_bytes; at < text.size(); at += block_bytes) {
    const std::size_t last = text.size() - block_bytes;  // the last block overlaps the one before
    hash = hash * odd + KeyBlock::load(text.data() + std::min(at, last)).hash(head_.hash_key);
  }
  return spread(hash);
}

char* EndpointTable::long_text(const Slot& slot) const noexcept {
  return texts_ + (&slot - slots_ - first_endpoint) * std::ptrdiff_t{text_lines * Arena::line_bytes};
}

std::string_view EndpointTable::text(const Slot& slot) const noexcept {
  const std::size_t size = slot.kind >> 2U;
  return {size < block_bytes ? slot.key : long_text(slot), size};
}

std::uint32_t EndpointTable::find(const HostKey& key) const noexcept {
  if (key.authority.empty()) return 0;
  return find_from(home(key),
                   [&](const Slot& slot) { return slot.kind == kind_of(key) && text(slot) == key.authority; });
}

std::uint32_t EndpointTable::insert(const HostKey& key) noexcept {
  const std::uint32_t count = size();
  if (count >= capacity_) return 0;
  const std::uint32_t index = first_endpoint + count;
  Slot& slot = slots_[index];
  char* const end = std::copy(key.authority.begin(), key.authority.end(), is_short(key) ? slot.key : long_text(slot));
  if (is_short(key)) {
    *end = '/';
    slot.size_bits = (2U << key.authority.size()) - 1;
    if (key.scheme == Scheme::https) slot.entry = entry_of(index, 0);
  }
  slot.kind = kind_of(key);

  const std::uint32_t home = this->home(key);
  std::uint32_t at = home;
  while (load(index_[at & mask_], std::memory_order_relaxed) != 0) ++at;  // other inserters are kept out
  // In this order: who has found the endpoint sees a size that counts it, who sees the table full finds all of them.
  store(head_.endpoint_count, count + 1, std::memory_order_release);                       // pairs with size()
  store(index_[at & mask_], (home & ~most_endpoints) | index, std::memory_order_release);  // pairs with find_from()
  store(head_.found_count, count + 1, std::memory_order_release);                          // pairs with is_full()
  return index;
}

HostKey EndpointTable::at(std::uint32_t index) const noexcept {
  return {text(slots_[index]), static_cast<Scheme>(slots_[index].kind & 3U)};
}

}  // namespace event_metrics::inline v0::record
