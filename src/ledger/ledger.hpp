// ledger/ledger.hpp - what has been recorded, what of it an agent has accepted, and so what is still owed.
//
// An account per series: its counters, and one entry per cell of its timing. What is recorded only grows; what is
// accepted is added with every share of a datagram and taken back when the datagram turns out not to have arrived.
// Used by one thread at a time.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "record/arena.hpp"
#include "record/cells.hpp"
#include "record/reading.hpp"
#include "record/recorder.hpp"

namespace event_metrics::inline v0::ledger {

// Entries of a series beside the cells of its timing.
inline constexpr std::uint32_t success_entry = record::cell_count;
inline constexpr std::uint32_t failed_entry = success_entry + 1;
inline constexpr std::uint32_t announced_entry = success_entry + 2;  ///< that all its counters were sent once
inline constexpr std::uint32_t gauge_entry = success_entry + 3;      ///< the one gauge; its series is not looked at
inline constexpr std::uint32_t left_out_entry = success_entry + 4;   ///< of the timings beside it, those that it drops
inline constexpr std::uint32_t own_entry = success_entry + 5;        ///< the client's own counters, by series
inline constexpr std::uint32_t own_count = 4;

/// What one datagram carries of one entry.
struct Share {
  std::uint32_t series;
  std::uint32_t entry;
  std::uint64_t count;
};

struct Counters {
  std::uint64_t successes;
  std::uint64_t failed;
  bool announced;
};

/// `recorded = accepted + expired + owed`; of timings `recorded = accepted + left_out + expired + owed`.
struct Totals {
  std::uint64_t recorded = 0;
  std::uint64_t accepted = 0;
  std::uint64_t expired = 0;
  std::uint64_t timings_recorded = 0;
  std::uint64_t timings_accepted = 0;
  std::uint64_t timings_expired = 0;
  std::uint64_t left_out = 0;
  std::uint64_t coarse = 0;
};

class Ledger {
 public:
  /// Reserves address space for all that recording within `memory_bytes` can come to. Throws std::bad_alloc.
  Ledger(std::size_t memory_bytes, std::uint32_t max_series);

  /// What accounts, endpoints and octave cells can take, whatever else is recorded.
  static std::size_t fixed_bytes(std::uint32_t max_series) noexcept;

  /// Memory in use, the fixed part not counted.
  std::size_t memory_bytes() const noexcept;

  /// Opens the next series: 0, 1, 2 and so on.
  std::uint32_t add_series();

  std::uint32_t series_count() const noexcept { return static_cast<std::uint32_t>(accounts_.size()); }

  /// Counts the recorder's next endpoint towards a series. Several endpoints may share one.
  void attach_endpoint(std::uint32_t series);
  std::uint32_t endpoint_count() const noexcept { return static_cast<std::uint32_t>(endpoints_.size()); }

  /// Takes in what was recorded since the last fold for the attached endpoints. False where there was no memory for all
  /// of it: the rest is taken in by a later one.
  bool fold(record::Recorder& recorder) noexcept;

  // What is owed. Series are found in circles, from `from` on; nothing when none owes.

  std::optional<std::uint32_t> next_owing_counters(std::uint32_t from) const noexcept;
  std::optional<std::uint32_t> next_owing_timings(std::uint32_t from) const noexcept;
  Counters owed_counters(std::uint32_t series) const noexcept;
  std::uint64_t owed_timings(std::uint32_t series) const noexcept { return accounts_[series].owed_timings; }
  /// Fills `cells` with the series' cells that owe, ascending.
  void owed_cells(std::uint32_t series, std::vector<std::uint32_t>& cells) const;
  std::uint64_t owed(std::uint32_t series, std::uint32_t cell) const noexcept;

  /// A gauge has no past: its last value replaces what was owed before.
  void owe_gauge(std::int64_t value) noexcept;
  std::optional<std::int64_t> owed_gauge() const noexcept;
  bool owes_nothing() const noexcept;

  /// The client's own counters, 0 to own_count - 1, which nobody waits for.
  void record_own(std::uint32_t number, std::uint64_t total) noexcept { own_[number].recorded = total; }
  std::uint64_t owed_own(std::uint32_t number) const noexcept { return own_[number].recorded - own_[number].done; }

  void commit(const Share& share) noexcept { book(share, true); }
  void take_back(const Share& share) noexcept { book(share, false); }

  /// Gives up what was owed at the last call and still is. Called twice in a time, it leaves nothing that is older.
  void expire() noexcept;

  const Totals& totals() const noexcept { return totals_; }
  /// Deliveries recorded in a series.
  std::uint64_t recorded(std::uint32_t series) const noexcept;

 private:
  struct Entry {
    std::uint64_t recorded;
    std::uint64_t done;    ///< accepted, left out or given up
    std::uint64_t marked;  ///< what had been recorded at the last expire() that found something owed here
  };
  struct Chunk {
    Entry cell[record::cells_per_chunk];
  };
  /// Sixteen chunks by line, and for each the cells that owe, one bit a cell.
  struct Mid {
    std::uint32_t chunk[record::chunks_per_mid];
    std::uint64_t owing[record::chunks_per_mid];
  };
  static constexpr unsigned mid_count = record::octave_chunk / record::chunks_per_mid + 1;
  static constexpr std::uint32_t no_endpoint = ~std::uint32_t{0};
  struct Account {
    Entry success{};
    Entry failed{};
    std::uint64_t announced = 0;  ///< a count, since an announcement can be taken back
    std::uint64_t owed_timings = 0;
    std::array<std::uint32_t, mid_count> mid{};
    std::uint32_t newest_endpoint = no_endpoint;
  };
  /// One bit a series.
  using Marks = std::vector<std::uint64_t>;

  static std::optional<std::uint32_t> next_mark(const Marks& marks, std::uint32_t from) noexcept;
  static void set_mark(Marks& marks, std::uint32_t series, bool on) noexcept;
  void mark(std::uint32_t series) noexcept;

  // False without memory.
  bool read(record::Recorder& recorder, const Account& account) noexcept;
  bool fold_series(record::Recorder& recorder, std::uint32_t series) noexcept;
  bool fold_chunk(Account& account, unsigned index, const record::Reading::Sums& sums) noexcept;
  bool has_chunk(Account& account, unsigned index) noexcept;
  /// Calls visit(cell) for the account's cells that owe, ascending. It may finish them.
  template <class Visit>
  void for_each_owing(const Account& account, Visit visit) const;
  Mid* mid_of(const Account& account, unsigned chunk) const noexcept;
  Entry* entry_of(const Account& account, std::uint32_t cell) const noexcept;
  std::uint32_t take(std::size_t bytes, unsigned for_chunk) noexcept;
  void book(const Share& share, bool accepted) noexcept;
  void finish_timings(Account& account, std::uint32_t cell, std::uint64_t count) noexcept;
  static std::uint64_t give_up(Entry& entry) noexcept;
  void expire_timings(Account& account) noexcept;

  record::Arena arena_;
  std::vector<Account> accounts_;
  struct Endpoint {
    std::uint32_t series;
    std::uint32_t before;  ///< an older one of the same series
  };
  std::vector<Endpoint> endpoints_;
  Marks counters_owing_;
  Marks timings_owing_;
  Marks fold_marks_;  // what the next fold reads whether it is marked or not
  Totals totals_;
  std::array<Entry, own_count> own_{};
  std::int64_t gauge_ = 0;
  bool gauge_owed_ = false;
  std::size_t octave_bytes_ = 0;  // taken for octave cells, which fixed_bytes() has counted
  record::Reading reading_;
};

}  // namespace event_metrics::inline v0::ledger
