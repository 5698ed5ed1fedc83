// client/provisional.hpp - datagrams that the kernel accepted and an absent agent may still refuse.
//
// A refusal names its datagram by the first bytes, as many as the kernel quotes. One whose quote would be equal to that
// of a datagram not yet settled must wait, unless both are equal to the last byte: then either stands for the other.
// What has settled is kept as long as there is room: on a busy machine a refusal can be later than anybody waits.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/share.hpp"

namespace event_metrics::inline v0 {

class Provisional {
 public:
  using Clock = std::chrono::steady_clock;
  /// How long after its sending a refusal is waited for.
  static constexpr std::chrono::milliseconds settling{2};
  static constexpr std::size_t capacity = 64;

  struct Sent {
    Clock::time_point at{};
    std::size_t size = 0;
    std::string quote{};
    std::vector<ledger::Share> shares{};
  };

  /// Keeps memory for datagrams of `shares` shares and quotes of up to `quoted` bytes.
  Provisional(std::size_t quoted, std::size_t shares);
  static std::size_t bytes(std::size_t quoted, std::size_t shares) noexcept {
    return capacity * (sizeof(Sent) + quoted + shares * sizeof(ledger::Share));
  }

  bool full(Clock::time_point now) const noexcept { return count_ == capacity && !settled(sent(0), now); }
  /// When the youngest datagram settles; long ago when there is none.
  Clock::time_point settled_at() const noexcept;

  /// Whether a refusal of `datagram` could be mistaken for that of another one that has not settled.
  bool ambiguous(std::string_view datagram, std::size_t quoted, Clock::time_point now) const noexcept;

  /// Keeps an accepted datagram, in the place of the oldest or of what it could be mistaken for; not when full.
  void keep(std::string_view datagram, std::size_t quoted, std::span<const ledger::Share> shares,
            Clock::time_point now);

  /// Takes out the oldest datagram that `quote` names; nullptr when there is none. Valid until the next keep(). A quote
  /// that is equal to none is the beginning of one: the oldest of those that have not settled, or else the youngest.
  const Sent* take(std::string_view quote, Clock::time_point now) noexcept;

  /// For a socket that is closed: its refusals are lost.
  void forget() noexcept { count_ = 0; }

 private:
  static bool alike(const Sent& sent, std::string_view datagram, std::size_t quoted) noexcept;
  static bool settled(const Sent& sent, Clock::time_point now) noexcept { return sent.at + settling <= now; }
  /// The oldest is 0, the youngest count_ - 1.
  Sent& sent(std::size_t index) noexcept { return sent_[(first_ + index) % capacity]; }
  const Sent& sent(std::size_t index) const noexcept { return sent_[(first_ + index) % capacity]; }
  Sent& remove(std::size_t index) noexcept;

  std::array<Sent, capacity> sent_;  // a ring: count_ of them, from first_ on
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace event_metrics::inline v0
