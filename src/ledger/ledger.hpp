// ledger/ledger.hpp - what has been recorded, what of it an agent has accepted, and so what is still owed.
//
// An account per series: its counters, and one balance per cell of its timing. What is recorded only grows; what is
// accepted is added with every share of a datagram and taken back when the datagram turns out not to have arrived.
// What is owed leaves in rounds: a round is what was owed when it began, and the next one begins when all of it has
// left. So nothing stays longer than two rounds, and the timings of a round can be told in any order.
// Used by one thread at a time.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ledger/account.hpp"
#include "ledger/series_set.hpp"
#include "ledger/share.hpp"
#include "ledger/totals.hpp"
#include "record/arena.hpp"
#include "record/budget.hpp"
#include "record/cells.hpp"
#include "record/layout.hpp"
#include "record/reading.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0::ledger {

/// Of a series, for its counters.
struct Counts {
  std::uint64_t observed;
  std::uint64_t tallied;
  bool announced;
};

class Ledger {
 public:
  /// Draws on the recorder's budget, whose reader it is from now on. Throws std::bad_alloc.
  Ledger(record::Budget& budget, std::uint32_t max_series);

  /// What accounts, rows and octave cells can take, whatever else is recorded.
  static std::size_t fixed_bytes(std::uint32_t max_series) noexcept;

  /// Memory in use, the fixed part not counted.
  std::size_t memory_bytes() const noexcept;

  /// Opens the next series: 0, 1, 2 and so on.
  std::uint32_t add_series();

  std::uint32_t series_count() const noexcept { return static_cast<std::uint32_t>(accounts_.size()); }

  /// Counts the recorder's next row towards a series. Several rows may share one.
  void attach_row(std::uint32_t series);
  std::uint32_t row_count() const noexcept { return static_cast<std::uint32_t>(rows_.size()); }

  /// Takes in what was recorded since the last fold for the attached rows, which may be not `all` of them; where
  /// no round is left, it begins one. False where there was no memory for all of it: the rest is taken in by a later
  /// one.
  bool fold(record::Recorder& recorder, bool all) noexcept;

  /// All that is owed now is a round. What the last one still owes becomes part of it.
  void begin_round() noexcept;
  bool round_is_over() const noexcept { return round_counts_ == 0 && round_timings_ == 0; }
  /// Gives up what the round still owes, and so ends it.
  void expire() noexcept;

  // What is owed: of counters all, of timings what belongs to the round. Series are found in circles, from `from` on;
  // nothing when none owes.

  std::optional<std::uint32_t> next_owing_counters(std::uint32_t from) const noexcept;
  std::optional<std::uint32_t> next_owing_timings(std::uint32_t from) const noexcept;
  Counts owed_counts(std::uint32_t series) const noexcept;
  std::uint64_t owed_timings(std::uint32_t series) const noexcept { return accounts_[series].round_timings; }
  /// Of all series.
  std::uint64_t owed_timings() const noexcept { return round_timings_; }
  /// Calls visit(cell, owed) for the series' cells that owe, ascending. It may commit what it is told.
  template <class Visit>
  void for_each_owing(std::uint32_t series, Visit visit) const;
  std::uint64_t owed(std::uint32_t series, std::uint32_t cell) const noexcept;
  /// The series' first cell from `from` on that owes; nothing when none does.
  std::optional<std::uint32_t> next_owing(std::uint32_t series, std::uint32_t from) const noexcept;

  /// A gauge has no past: its last value replaces what was owed before.
  void owe_gauge(std::int64_t value) noexcept;
  std::optional<std::int64_t> owed_gauge() const noexcept;
  bool owes_nothing() const noexcept;

  /// The client's own counters, 0 to telemetry_count - 1, which nobody waits for.
  void record_telemetry(std::uint32_t number, std::uint64_t total) noexcept { telemetry_[number].recorded = total; }
  std::uint64_t owed_telemetry(std::uint32_t number) const noexcept {
    return telemetry_[number].recorded - telemetry_[number].done;
  }

  void commit(const Share& share) noexcept { book(share, true); }
  void take_back(const Share& share) noexcept { book(share, false); }

  const Totals& totals() const noexcept { return totals_; }
  /// How much has been counted in a series, observed or tallied.
  std::uint64_t recorded(std::uint32_t series) const noexcept;

 private:
  /// After what a series owes has changed.
  void note_owing(std::uint32_t series) noexcept;

  // False without memory.
  bool read(const record::Recorder& recorder, const Account& account) noexcept;
  bool fold_series(record::Recorder& recorder, std::uint32_t series) noexcept;
  bool fold_chunk(Account& account, unsigned index, const record::Reading::Sums& sums) noexcept;
  bool has_chunk(Account& account, unsigned index) noexcept;
  /// Calls visit(cell, balance) for the account's cells that owe anything, ascending. It may finish them.
  template <class Visit>
  void for_each_balance(const Account& account, Visit visit) const;
  Mid* mid_of(const Account& account, unsigned chunk) const noexcept;
  Balance* balance_of(const Account& account, std::uint32_t cell) const noexcept;
  bool is_there(std::uint32_t& line, std::size_t bytes, unsigned for_chunk) noexcept;
  void add_counts(Balance& balance, std::uint64_t more) noexcept;
  void book(const Share& share, bool accepted) noexcept;
  void join_round(Account& account) noexcept;
  void finish_counts(Balance& balance, std::uint64_t count) noexcept;
  void finish_timings(Account& account, std::uint32_t cell, std::uint64_t count) noexcept;

  record::Budget& budget_;
  record::Arena arena_;
  std::vector<Account> accounts_;
  struct Row {
    std::uint32_t series;
    std::uint32_t before;  ///< an older one of the same series
  };
  std::vector<Row> rows_;
  SeriesSet counters_owing_;
  SeriesSet timings_owing_;  // in the round
  SeriesSet timings_after_;  // recorded since the round began
  SeriesSet to_fold_;        // by the next fold, whether anything is marked or not
  Totals totals_;
  std::uint64_t round_number_ = 0;
  std::uint64_t round_counts_ = 0;  // what the round still owes
  std::uint64_t round_timings_ = 0;
  bool begins_round_ = false;  // the fold that is under way
  std::array<Balance, telemetry_count> telemetry_{};
  std::int64_t gauge_ = 0;
  bool gauge_owed_ = false;
  std::size_t taken_for_octaves_ = 0;  // which fixed_bytes() has counted
  record::Reading reading_;
};

template <class Visit>
void Ledger::for_each_balance(const Account& account, Visit visit) const {
  for (unsigned number = 0; number < mid_count; ++number) {
    const Mid* const mid = mid_of(account, number * record::chunks_per_mid);
    if (mid == nullptr) continue;
    for (unsigned chunk = 0; chunk < record::chunks_per_mid; ++chunk) {
      for (std::uint64_t owing = mid->owing[chunk]; owing != 0; owing &= owing - 1) {
        const auto cell = static_cast<unsigned>(std::countr_zero(owing));
        const unsigned before = (number * record::chunks_per_mid + chunk) * record::cells_per_chunk;
        visit(before + cell, arena_.at<Chunk>(mid->chunk[chunk]).cell[cell]);
      }
    }
  }
}

template <class Visit>
void Ledger::for_each_owing(std::uint32_t series, Visit visit) const {
  for_each_balance(accounts_[series], [&visit](std::uint32_t cell, const Balance& balance) {
    if (const std::uint64_t owed = balance.owed_of_round(); owed != 0) visit(cell, owed);
  });
}

}  // namespace event_metrics::inline v0::ledger
