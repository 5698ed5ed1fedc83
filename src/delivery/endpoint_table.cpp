#include "delivery/endpoint_table.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>

namespace event_metrics::inline v0::delivery {
namespace {

std::uint32_t places(std::uint32_t capacity) noexcept { return std::bit_ceil(4 * capacity); }
std::uint32_t slots(std::uint32_t capacity) noexcept { return 1 + 2 * capacity; }

Scheme scheme_of(const HostKey& key) noexcept {
  return key.authority.find(':') != key.authority.npos ? key.scheme : Scheme::other;
}
std::uint32_t shape_of(const HostKey& key) noexcept { return shape_of(key.authority.size(), scheme_of(key)); }

bool is_short(const HostKey& key) noexcept { return key.authority.size() < key_bytes; }

// A short key as in ShortKey.
KeyBytes short_bytes(std::string_view text) noexcept {
  char bytes[key_bytes] = {};
  *std::copy(text.begin(), text.end(), bytes) = '/';
  return KeyBytes::load(bytes);
}

using record::lines_of;

// The counts are on the first line.
std::uint32_t index_line(std::uint32_t capacity) noexcept { return 1 + slots(capacity); }
std::uint32_t labels_line(std::uint32_t capacity) noexcept {
  return index_line(capacity) + lines_of(places(capacity) * sizeof(std::uint32_t));
}

}  // namespace

EndpointTable::EndpointTable(const record::Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept
    : seed_{record::head(arena).seed},
      slots_{&arena.at<Slot>(first_line + 1)},
      index_{&arena.at<std::uint32_t>(first_line + index_line(capacity))},
      mask_{places(capacity) - 1},
      capacity_{capacity},
      counts_{arena.at<Counts>(first_line)},
      labels_{&arena.at<HostLabel>(first_line + labels_line(capacity))} {
  static_assert(sizeof(Slot) == record::Arena::line_bytes);
}

std::uint32_t EndpointTable::lines(std::uint32_t capacity) noexcept {
  return labels_line(capacity) + lines_of(capacity * sizeof(HostLabel));
}

std::uint32_t EndpointTable::home(const HostKey& key) const noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
  if (is_short(key)) return spread(short_bytes(key.authority).hash(seed_));
  const std::string_view text = key.authority;
  std::uint64_t hash = KeyBytes::load(text.data()).hash(seed_);
  for (std::size_t at = key_bytes; at < text.size(); at += key_bytes) {
    const std::size_t last = text.size() - key_bytes;  // the last bytes overlap those before
    hash = hash * odd + KeyBytes::load(text.data() + std::min(at, last)).hash(seed_);
  }
  return spread(hash);
}

bool EndpointTable::is(const Slot& slot, const HostKey& key) const noexcept {
  if (slot.shape != shape_of(key)) return false;
  return is_short(key) ? key.authority == std::string_view{slot.key, key.authority.size()}
                       : key.authority == at(slot.endpoint);
}

std::uint32_t EndpointTable::find(const HostKey& spelling) const noexcept {
  if (spelling.authority.empty()) return 0;
  return find_from(home(spelling), [&](const Slot& slot) { return is(slot, spelling); });
}

std::uint32_t EndpointTable::insert(const HostLabel& label) noexcept {
  const std::uint32_t count = size();
  if (count >= capacity_) return 0;
  labels_[count] = label;
  // In this order: who has found the endpoint sees a size that counts it, who sees the table full finds all of them.
  record::store(counts_.endpoints, count + 1, std::memory_order_release);  // pairs with size()
  add(1 + count, key_of(label), first_endpoint + count);
  record::store(counts_.found, count + 1, std::memory_order_release);  // pairs with is_full()
  return first_endpoint + count;
}

void EndpointTable::remember(const HostKey& spelling, std::uint32_t endpoint) noexcept {
  const std::uint32_t number = 1 + capacity_ + endpoint - first_endpoint;
  std::uint32_t& claimed = slots_[number].claimed;
  // Relaxed: one thread gets the slot, and add() publishes what is in it.
  if (!is_short(spelling) || record::load(claimed, std::memory_order_relaxed) != 0 || find(spelling) != 0) return;
  if (std::atomic_ref{claimed}.exchange(1, std::memory_order_relaxed) == 0) add(number, spelling, endpoint);
}

void EndpointTable::add(std::uint32_t number, const HostKey& spelling, std::uint32_t endpoint) noexcept {
  Slot& slot = slots_[number];
  slot.endpoint = endpoint;
  if (is_short(spelling)) {
    const std::string_view text = spelling.authority;
    *std::copy(text.begin(), text.end(), slot.key) = '/';
    slot.size_bits = (2U << text.size()) - 1;
    // As a URL's key it is one of an https URL, or one for which the scheme makes no difference.
    const bool is_https = spelling.scheme == Scheme::https || text.find(':') == text.npos;
    if (is_https) slot.word = record::word_of(endpoint, 0);
  }
  slot.shape = shape_of(spelling);

  const std::uint32_t home = this->home(spelling);
  const std::uint32_t place = (home & ~record::most_rows) | number;
  for (std::uint32_t at = home;; ++at) {
    std::uint32_t empty = 0;
    // Release: pairs with find_from(). Where the place is taken nothing is read of what it says.
    if (std::atomic_ref{index_[at & mask_]}.compare_exchange_strong(empty, place, std::memory_order_release,
                                                                    std::memory_order_relaxed)) {
      return;
    }
  }
}

std::string_view EndpointTable::at(std::uint32_t index) const noexcept {
  return labels_[index - first_endpoint].text();
}

}  // namespace event_metrics::inline v0::delivery
