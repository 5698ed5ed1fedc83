#include "provisional.hpp"

#include <utility>

namespace event_metrics::inline v0 {

Provisional::Provisional(std::size_t quoted, std::size_t shares) {
  for (Entry& entry : entries_) {
    entry.quote.reserve(quoted);
    entry.shares.reserve(shares);
  }
}

Provisional::Clock::time_point Provisional::settled_at() const noexcept {
  return count_ == 0 ? Clock::time_point::min() : entry(count_ - 1).sent + settling;
}

bool Provisional::ambiguous(std::string_view datagram, std::size_t quoted, Clock::time_point now) const noexcept {
  if (datagram.size() < quoted) return false;  // the quote is the whole datagram
  const std::string_view quote = datagram.substr(0, quoted);
  for (std::size_t i = 0; i < count_; ++i) {
    if (!settled(entry(i), now) && entry(i).quote == quote) return true;
  }
  return false;
}

void Provisional::keep(std::string_view datagram, std::size_t quoted, std::span<const ledger::Share> shares,
                       Clock::time_point now) {
  if (datagram.size() >= quoted) (void)take(datagram.substr(0, quoted));
  if (count_ == capacity) (void)remove(0);
  Entry& kept = entry(count_++);
  kept.sent = now;
  kept.size = datagram.size();
  kept.quote.assign(datagram.substr(0, quoted));
  kept.shares.assign(shares.begin(), shares.end());
}

const Provisional::Entry* Provisional::take(std::string_view quote) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (entry(i).quote == quote) return &remove(i);
  }
  return nullptr;
}

// The entry keeps its memory and goes where the next one is to be kept last: in front of the oldest. Mostly it is that.
Provisional::Entry& Provisional::remove(std::size_t index) noexcept {
  for (; index > 0; --index) std::swap(entry(index), entry(index - 1));
  Entry& removed = entry(0);
  first_ = (first_ + 1) % capacity;
  --count_;
  return removed;
}

}  // namespace event_metrics::inline v0
