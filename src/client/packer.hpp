// client/packer.hpp - what is owed, as the lines of the next datagram.
//
// Of the gauge, the counters and the durations the first two go first.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/delivery_series.hpp"
#include "client/timing_lines.hpp"
#include "ledger/ledger.hpp"
#include "wire/agent_rules.hpp"
#include "wire/datagram.hpp"

namespace event_metrics::inline v0 {

/// Used by one thread at a time.
class Packer {
 public:
  static constexpr std::uint64_t most_turns = TimingLines::most_turns;

  /// All but the limit outlive the packer. Throws std::bad_alloc.
  Packer(const wire::AgentRules& rules, std::size_t limit, const DeliverySeries& series,
         const std::string& telemetry_suffix, ledger::Ledger& ledger);

  /// The most shares that a datagram carries.
  static std::size_t most_shares(std::size_t limit) noexcept;

  /// Its memory, whatever is owed.
  static std::size_t bytes(std::size_t limit) noexcept;

  /// See TimingLines::begin_turn().
  void begin_turn(std::uint64_t turn_bytes, std::uint64_t turns = most_turns) noexcept {
    timings_.begin_turn(turn_bytes, turns);
  }

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
  bool add_timings();
  bool add(std::span<const wire::Line> lines, std::span<const ledger::Share> shares);

  const DeliverySeries& series_;
  const std::string& telemetry_suffix_;
  ledger::Ledger& ledger_;
  wire::Datagram datagram_;
  std::vector<ledger::Share> shares_;                       // what datagram_ carries
  std::vector<wire::Line> group_;                           // the counters of one series
  std::uint32_t next_telemetry_ = ledger::telemetry_count;  // the next of the client's own counters to tell

  // Each goes on where the last datagram ended, so that no series crowds out another.
  std::uint32_t counter_series_ = 0;
  bool crowded_ = false;  // counters alone have filled the last datagram
  TimingLines timings_;
};

}  // namespace event_metrics::inline v0
