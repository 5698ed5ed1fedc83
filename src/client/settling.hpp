// client/settling.hpp - until when all is certain, how old the oldest is that is owed, and how long it may still take.
//
// Knows no ledger and no socket: it is told when there was a fold, what has left since and when that has settled. Used
// by one thread at a time.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace event_metrics::inline v0 {

class Settling {
 public:
  using Clock = std::chrono::steady_clock;

  /// What has left when a burst ends: not all of the round, the round, or all that was owed.
  enum class Left : std::uint8_t { part, round, all };

  /// With 0 for `keep_for`, what is owed is kept for ever.
  Settling(Clock::time_point now, std::chrono::milliseconds interval, std::chrono::seconds keep_for) noexcept;

  void fold(Clock::time_point now, bool begins_round) noexcept;
  /// All that was owed at the last fold is a round.
  void begin_round() noexcept { round_since_ = folded_at_; }
  /// Whether what is left of the round has to be given up.
  bool round_has_lasted(Clock::time_point now) const noexcept;
  void give_up_round() noexcept { kept_since_ = std::max(kept_since_, round_since_); }

  /// A burst has ended, and `settled_at` is when all that was sent has settled.
  void end_burst(Clock::time_point now, Left left, Clock::time_point settled_at) noexcept;
  /// Nothing could be sent until now.
  void held_up(Clock::time_point now) noexcept { held_up_at_ = now; }
  void refused() noexcept { coming_.reset(); }

  /// What was owed then is accepted, and can no longer be refused.
  Clock::time_point accepted_until() const noexcept { return accepted_until_; }
  /// When that is going to be later, as far as is known.
  std::optional<Clock::time_point> next() const noexcept;

  /// Of the oldest that is owed, when something is.
  Clock::duration age(Clock::time_point now) const noexcept { return now - kept_since_; }
  /// How long the round may still take; it may be less than nothing.
  Clock::duration time_left(Clock::time_point now) const noexcept;

 private:
  void settle(Clock::time_point now) noexcept;

  const std::chrono::milliseconds interval_;
  const std::chrono::seconds keep_for_;
  // The end of a round counts once all datagrams of then have settled; others may follow meanwhile.
  struct Coming {
    Clock::time_point accepted_until;
    Clock::time_point settled_at;
  };
  std::optional<Coming> coming_;
  Clock::time_point accepted_until_ = Clock::time_point::min();
  Clock::time_point folded_at_;    // what was recorded before has been owed
  Clock::time_point kept_since_;   // nothing that was recorded before is owed
  Clock::time_point round_since_;  // what was recorded before belongs to the round, or to one before it
  Clock::time_point held_up_at_;   // the last moment at which nothing could be sent
};

}  // namespace event_metrics::inline v0
