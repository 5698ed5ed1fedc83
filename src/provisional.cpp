#include "provisional.hpp"

#include <algorithm>

namespace event_metrics::inline v0 {

Provisional::Provisional(std::size_t quoted, std::size_t shares) {
  for (Entry& entry : entries_) {
    entry.quote.reserve(quoted);
    entry.shares.reserve(shares);
  }
}

Provisional::Clock::time_point Provisional::settled_at() const noexcept {
  return count_ == 0 ? Clock::time_point::min() : entries_[count_ - 1].sent + settling;
}

bool Provisional::ambiguous(std::string_view datagram, std::size_t quoted, Clock::time_point now) const noexcept {
  if (datagram.size() < quoted) return false;  // the quote is the whole datagram
  const std::string_view quote = datagram.substr(0, quoted);
  return std::any_of(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count_),
                     [&](const Entry& entry) { return !settled(entry, now) && entry.quote == quote; });
}

void Provisional::keep(std::string_view datagram, std::size_t quoted, std::span<const ledger::Share> shares,
                       Clock::time_point now) {
  if (datagram.size() >= quoted) (void)take(datagram.substr(0, quoted));
  if (count_ == capacity) remove(0);
  Entry& entry = entries_[count_++];
  entry.sent = now;
  entry.size = datagram.size();
  entry.quote.assign(datagram.substr(0, quoted));
  entry.shares.assign(shares.begin(), shares.end());
}

const Provisional::Entry* Provisional::take(std::string_view quote) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (entries_[i].quote != quote) continue;
    remove(i);
    return &entries_[count_];
  }
  return nullptr;
}

// The removed entry goes behind the last, with its memory.
void Provisional::remove(std::size_t index) noexcept {
  const auto at = entries_.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(at, at + 1, entries_.begin() + static_cast<std::ptrdiff_t>(count_));
  --count_;
}

}  // namespace event_metrics::inline v0
