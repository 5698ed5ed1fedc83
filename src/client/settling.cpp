#include "client/settling.hpp"

#include "client/timing_lines.hpp"

namespace event_metrics::inline v0 {
namespace {

// Intervals until the last of what was recorded in one has left, where an agent listens: durations are merged as far as
// that needs.
constexpr int most_intervals = int{TimingLines::most_turns} + 1;
// Shorter intervals count as that long here, since a busy machine misses some of them.
constexpr std::chrono::milliseconds least_turn{100};

}  // namespace

Settling::Settling(Clock::time_point now, std::chrono::milliseconds interval, std::chrono::seconds keep_for) noexcept
    : interval_{interval},
      keep_for_{keep_for},
      folded_at_{now},
      kept_since_{now},
      round_since_{now},
      held_up_at_{now} {}

void Settling::fold(Clock::time_point now, bool begins_round) noexcept {
  folded_at_ = now;
  if (begins_round) begin_round();
}

// When a round has lasted for half of keep_for, what is left of it was recorded at least that long ago. It is no older
// than keep_for, because the round before it did not last longer either.
bool Settling::round_has_lasted(Clock::time_point now) const noexcept {
  // Turns may be an interval apart, and rounds begin and end in turns.
  const auto longest = std::max<Clock::duration>(keep_for_ / 2 - interval_, interval_ / 2);
  return keep_for_.count() != 0 && now - round_since_ >= longest;
}

// What was waited for may have been coming until now, and what was owed since has left meanwhile: that comes next.
void Settling::end_burst(Clock::time_point now, Left left, Clock::time_point settled_at) noexcept {
  settle(now);
  if (coming_ || left == Left::part) return;
  coming_ = Coming{left == Left::all ? folded_at_ : round_since_, settled_at};
  settle(now);
}

void Settling::settle(Clock::time_point now) noexcept {
  if (!coming_ || coming_->settled_at > now) return;
  accepted_until_ = coming_->accepted_until;
  kept_since_ = std::max(kept_since_, accepted_until_);
  coming_.reset();
}

std::optional<Settling::Clock::time_point> Settling::next() const noexcept {
  return coming_ ? std::optional{coming_->settled_at} : std::nullopt;
}

// The oldest of the round was recorded when the round before it began: that must not be owed for longer than
// most_intervals, nor for so long that it is given up.
Settling::Clock::duration Settling::time_left(Clock::time_point now) const noexcept {
  Clock::duration time = most_intervals * std::max<Clock::duration>(interval_, least_turn);
  if (keep_for_.count() != 0) time = std::min<Clock::duration>(time, keep_for_ / 2);
  return time - (now - std::max(kept_since_, held_up_at_));
}

}  // namespace event_metrics::inline v0
