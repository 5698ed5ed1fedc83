#include "client/provisional.hpp"

#include <optional>
#include <utility>

namespace event_metrics::inline v0 {

Provisional::Provisional(std::size_t quoted, std::size_t shares) {
  for (Sent& sent : sent_) {
    sent.quote.reserve(quoted);
    sent.shares.reserve(shares);
  }
}

Provisional::Clock::time_point Provisional::settled_at() const noexcept {
  return count_ == 0 ? Clock::time_point::min() : sent(count_ - 1).at + settling;
}

// Whether so many bytes of both are the same. A shorter datagram comes back whole.
bool Provisional::alike(const Sent& sent, std::string_view datagram, std::size_t quoted) noexcept {
  return datagram.size() >= quoted && sent.quote.size() >= quoted &&
         datagram.substr(0, quoted) == std::string_view{sent.quote}.substr(0, quoted);
}

bool Provisional::ambiguous(std::string_view datagram, std::size_t quoted, Clock::time_point now) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!settled(sent(i), now) && alike(sent(i), datagram, quoted)) return true;
  }
  return false;
}

void Provisional::keep(std::string_view datagram, std::size_t quoted, std::span<const ledger::Share> shares,
                       Clock::time_point now) {
  for (std::size_t i = count_; i-- > 0;) {
    if (alike(sent(i), datagram, quoted)) (void)remove(i);
  }
  if (count_ == capacity) (void)remove(0);
  Sent& kept = sent(count_++);
  kept.at = now;
  kept.size = datagram.size();
  kept.quote.assign(datagram.substr(0, quoted));
  kept.shares.assign(shares.begin(), shares.end());
}

const Provisional::Sent* Provisional::take(std::string_view quote, Clock::time_point now) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (sent(i).quote == quote) return &remove(i);
  }
  std::optional<std::size_t> cut;
  for (std::size_t i = 0; i < count_ && (!cut || settled(sent(*cut), now)); ++i) {
    if (sent(i).quote.starts_with(quote)) cut = i;
  }
  return cut ? &remove(*cut) : nullptr;
}

// What is removed keeps its memory and goes where the next one is to be kept last: in front of the oldest. Mostly it is
// that.
Provisional::Sent& Provisional::remove(std::size_t index) noexcept {
  for (; index > 0; --index) std::swap(sent(index), sent(index - 1));
  Sent& removed = sent(0);
  first_ = (first_ + 1) % capacity;
  --count_;
  return removed;
}

}  // namespace event_metrics::inline v0
