// client/timing_lines.hpp - the durations that are owed, as lines.
//
// They are told in an order in which every stretch looks like the whole, since an agent may read a stretch as an
// interval of its own, or keep the later ones rather than the earlier: a series is visited again and again, and each
// visit takes every n-th line of what it owes, by value. Where more durations are owed than can leave in ten turns, one
// line tells several neighbouring ones.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "client/delivery_series.hpp"
#include "ledger/ledger.hpp"
#include "wire/agent_rules.hpp"
#include "wire/datagram.hpp"

namespace event_metrics::inline v0 {

/// Used by one thread at a time.
class TimingLines {
 public:
  /// How many turns what is owed may take before durations are merged.
  static constexpr std::uint64_t most_turns = 10;

  /// All but the number outlive this. Throws std::bad_alloc.
  TimingLines(const wire::AgentRules& rules, const DeliverySeries& series, const ledger::Ledger& ledger,
              std::size_t most_shares);

  /// Its memory, whatever is owed.
  static std::size_t bytes(std::size_t most_shares) noexcept;

  /// After a fold; `turn_bytes` is what can leave in a turn. The ledger's round is to be over in `turns`, at most
  /// `most_turns`.
  void begin_turn(std::uint64_t turn_bytes, std::uint64_t turns) noexcept;

  /// The line to tell next, with room for so many shares; nothing where no durations of the round are owed. The same
  /// is next again until it was told(). Throws std::bad_alloc.
  std::optional<wire::Line> next(std::size_t room);
  /// What it carries.
  std::span<const ledger::Share> shares() const noexcept { return run_; }
  void told() noexcept { ++visit_at_; }

 private:
  double merged_to_fit(double times, double room) const noexcept;
  /// What all durations of the round take, of which a series' have lines(series, durations) lines.
  template <class Lines>
  double owed_bytes(Lines lines) const noexcept;
  bool find();
  void begin_visit(std::uint32_t series);
  std::uint32_t cell_at(std::size_t line) const noexcept;
  std::uint64_t units_of(std::uint64_t owed) const noexcept;
  std::uint64_t most_of_line(std::uint64_t owed) const noexcept;
  std::uint64_t next_run(std::size_t room);

  const wire::AgentRules& rules_;
  const DeliverySeries& series_;
  const ledger::Ledger& ledger_;

  std::uint32_t visited_ = 0;  // the series of this visit
  // The cells from which the lines of this visit are taken, ascending; `stride_` of them from one line to the next.
  std::vector<std::uint16_t> visit_;
  std::size_t visit_at_ = 0;
  std::size_t first_ = 0;
  std::size_t stride_ = 1;
  std::minstd_rand random_;         // the same numbers in every process: they need not be guarded from anybody
  std::uint64_t merged_ = 1;        // how many durations, of neighbouring cells, a line stands for at least
  std::vector<ledger::Share> run_;  // the cells of the next line, in ascending order
};

}  // namespace event_metrics::inline v0
