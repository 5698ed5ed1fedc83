#include "delivery/endpoint_table.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace event_metrics::inline v0::delivery {

using record::lines_of;

// The counts are on the first line, then the slots and one more.
std::uint32_t EndpointTable::lines(std::uint32_t capacity) noexcept {
  return 2 + places(capacity) + lines_of(capacity * sizeof(Endpoint));
}

EndpointTable::EndpointTable(const record::Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept
    : seed_{record::head(arena).seed},
      slots_{&arena.at<Slot>(first_line + 1)},
      places_{places(capacity)},
      counts_{arena.at<Counts>(first_line)},
      endpoints_{&arena.at<Endpoint>(first_line + 2 + places(capacity))},
      capacity_{capacity} {
  static_assert(sizeof(Slot) == record::Arena::line_bytes && offsetof(Slot, text) == 8);
}

std::uint32_t EndpointTable::find_other_size(std::string_view spelling) const noexcept {
  if (spelling.size() < sizeof(std::uint64_t) || spelling.size() > sizeof(HostLabel::bytes)) return 0;
  return find_from(home(hash_of_other_size(spelling, seed_)), spelling.size(), [&](const Slot& slot) {
    if (spelling.size() < wide_bytes) return spelling == std::string_view{slot.text, spelling.size()};
    return spelling == endpoints_[slot.endpoint - first_endpoint].label.url();
  });
}

std::uint32_t EndpointTable::insert(const HostLabel& label) noexcept {
  const std::uint32_t count = size();
  if (count >= capacity_) return 0;
  endpoints_[count].label = label;
  // In this order: who has found the endpoint sees a size that counts it, who sees the table full finds all of them.
  record::store(counts_.endpoints, count + 1, std::memory_order_release);  // pairs with size()
  add(label.url(), first_endpoint + count);
  record::store(counts_.found, count + 1, std::memory_order_release);  // pairs with is_full()
  return first_endpoint + count;
}

void EndpointTable::remember(std::string_view spelling, std::uint32_t endpoint) noexcept {
  if (spelling.size() < sizeof(std::uint64_t) || spelling.size() >= wide_bytes) return;
  std::uint32_t& spelled_again = endpoints_[endpoint - first_endpoint].spelled_again;
  // Relaxed: one thread gets to write, and add() publishes what it has written.
  if (record::load(spelled_again, std::memory_order_relaxed) != 0 || find(spelling) != 0) return;
  if (std::atomic_ref{spelled_again}.exchange(1, std::memory_order_relaxed) == 0) add(spelling, endpoint);
}

void EndpointTable::add(std::string_view spelling, std::uint32_t endpoint) noexcept {
  for (std::uint64_t number = home(hash_of(spelling, seed_));; number = next(number)) {
    Slot& slot = slots_[number];
    std::uint32_t empty = 0;
    // Relaxed: whoever else sees it passes by.
    if (!std::atomic_ref{slot.size}.compare_exchange_strong(empty, being_written, std::memory_order_relaxed)) continue;
    slot.endpoint = endpoint;
    slot.word = record::word_of(endpoint, 0);
    if (spelling.size() < wide_bytes) {
      std::ranges::copy(spelling, slot.text);
      slot.end = static_cast<std::uint32_t>(spelling.size());
      slot.guess = (1U << (spelling.size() - 8)) - 1;
    }
    // Release: pairs with find_from().
    record::store(slot.size, static_cast<std::uint32_t>(spelling.size()), std::memory_order_release);
    return;
  }
}

}  // namespace event_metrics::inline v0::delivery
