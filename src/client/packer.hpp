// client/packer.hpp - what is owed, as the lines of the next datagram.
//
// Of the gauge, the counters and the durations the first two go first. Durations are told in an order in which every
// stretch looks like the whole, since an agent may read a stretch as an interval of its own, or keep the later ones
// rather than the earlier: a series is visited again and again, and each visit takes every n-th line of what it owes,
// by value. Where more durations are owed than can leave in ten turns, one line tells several neighbouring ones.

#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/delivery_series.hpp"
#include "ledger/ledger.hpp"
#include "wire/agent_rules.hpp"
#include "wire/datagram.hpp"

namespace event_metrics::inline v0 {

/// Used by one thread at a time.
class Packer {
 public:
  /// How many turns what is owed may take before durations are merged.
  static constexpr std::uint64_t most_turns = 10;

  /// All but the limit outlive the packer. Throws std::bad_alloc.
  Packer(const wire::AgentRules& rules, std::size_t limit, const DeliverySeries& series,
         const std::string& telemetry_suffix, ledger::Ledger& ledger);

  /// The most shares that a datagram carries.
  static std::size_t most_shares(std::size_t limit) noexcept;

  /// Its memory, whatever is owed.
  static std::size_t bytes(std::size_t limit) noexcept;

  /// After a fold; `turn_bytes` is what can leave in a turn. The ledger's round is to be over in `turns`, at most
  /// `most_turns`.
  void begin_turn(std::uint64_t turn_bytes, std::uint64_t turns = most_turns) noexcept;

  /// The next datagram tells the client's own counters.
  void tell_telemetry() noexcept { next_telemetry_ = 0; }

  /// Makes the next datagram of what is owed, which counts as accepted until undo(). False when nothing is owed.
  /// Throws std::bad_alloc, and then nothing has changed that undo() does not take back.
  bool fill();
  /// What the last fill() made is owed again.
  void undo() noexcept;

  std::string_view bytes() const noexcept { return datagram_.bytes(); }
  std::span<const ledger::Share> shares() const noexcept { return shares_; }

  /// The way carries less than was thought. Drops what was made.
  std::size_t limit() const noexcept { return datagram_.limit(); }
  void shrink(std::size_t limit) noexcept { datagram_.shrink(limit); }

 private:
  void add_owed();
  bool add_gauge();
  bool add_telemetry();
  bool add_counters();
  bool add_counters_of(std::uint32_t series);
  double merged_to_fit(double times, double room) const noexcept;
  /// What all durations of the round take, of which a series' have lines(series, durations) lines.
  template <class Lines>
  double owed_bytes(Lines lines) const noexcept;
  bool add_timings();
  bool add_timing();
  bool find_timing();
  void begin_visit(std::uint32_t series);
  std::uint32_t cell_at(std::size_t line) const noexcept;
  std::uint64_t units_of(std::uint64_t owed) const noexcept;
  std::uint64_t most_of_line(std::uint64_t owed) const noexcept;
  std::uint64_t next_run();
  bool add(std::span<const wire::Line> lines, std::span<const ledger::Share> shares);

  const wire::AgentRules& rules_;
  const DeliverySeries& series_;
  const std::string& telemetry_suffix_;
  ledger::Ledger& ledger_;
  wire::Datagram datagram_;
  std::vector<ledger::Share> shares_;                       // what datagram_ carries
  std::uint32_t next_telemetry_ = ledger::telemetry_count;  // the next of the client's own counters to tell

  // Each goes on where the last datagram ended, so that no series crowds out another.
  std::uint32_t counter_series_ = 0;
  bool crowded_ = false;  // counters alone have filled the last datagram
  std::uint32_t timing_series_ = 0;
  // The cells from which the lines of this visit are taken, ascending; `stride_` of them from one line to the next.
  std::vector<std::uint32_t> visit_;
  std::size_t visit_at_ = 0;
  std::size_t first_ = 0;
  std::size_t stride_ = 1;
  std::minstd_rand random_;         // the same numbers in every process: they need not be guarded from anybody
  std::uint64_t merged_ = 1;        // how many durations, of neighbouring cells, a line stands for at least
  std::vector<ledger::Share> run_;  // the cells of the next line, in ascending order
};

}  // namespace event_metrics::inline v0
