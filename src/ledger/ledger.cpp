#include "ledger/ledger.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace event_metrics::inline v0::ledger {
namespace {

using record::Arena;

/// By how much `recorded` is less than what has been read now.
std::uint64_t grow(std::uint64_t& recorded, std::uint64_t sum) noexcept { return sum - std::exchange(recorded, sum); }

}  // namespace

Ledger::Ledger(record::Budget& budget, std::uint32_t max_series)
    : budget_{budget},
      arena_{budget.bytes() + max_series * octave_bytes},
      counters_owing_{max_series},
      timings_owing_{max_series},
      timings_after_{max_series},
      to_fold_{max_series} {
  accounts_.reserve(max_series);
  rows_.reserve(max_series);
  budget_.begin(memory_bytes());
}

std::size_t Ledger::fixed_bytes(std::uint32_t max_series) noexcept {
  constexpr std::size_t sets = 4;
  return max_series * (sizeof(Account) + sizeof(Row) + octave_bytes) + sets * SeriesSet::bytes(max_series);
}

std::size_t Ledger::memory_bytes() const noexcept {
  return std::size_t{arena_.taken()} * Arena::line_bytes - taken_for_octaves_ + reading_.memory_bytes();
}

std::uint32_t Ledger::add_series() {
  accounts_.emplace_back();
  return static_cast<std::uint32_t>(accounts_.size() - 1);
}

void Ledger::attach_row(std::uint32_t series) {
  const std::uint32_t before = std::exchange(accounts_[series].newest_row, row_count());
  rows_.push_back({series, before});  // within what was reserved
  to_fold_.put(series, true);         // what was counted before may have been marked before, and the mark taken
}

bool Ledger::fold(record::Recorder& recorder, bool all) noexcept {
  budget_.begin_reading();
  begins_round_ = round_is_over();
  if (begins_round_) begin_round();
  recorder.drain();
  // All marks of a series are taken before its cells are read, or a count between the two would wait unseen.
  recorder.take_marks(row_count(), [this](std::uint32_t row) { to_fold_.put(rows_[row].series, true); });
  bool complete = all;
  to_fold_.for_each([&](std::uint32_t series) {
    // Without memory for all of it the series is folded again next time, and the others are as they should be.
    const bool whole = fold_series(recorder, series);
    to_fold_.put(series, !whole);
    complete = complete && whole;
  });
  budget_.end_reading(complete, memory_bytes());
  return complete;
}

bool Ledger::read(const record::Recorder& recorder, const Account& account) noexcept {
  reading_.clear();
  try {
    for (std::uint32_t each = account.newest_row; each != Account::no_row; each = rows_[each].before) {
      reading_.add(recorder.arena(), each);
    }
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool Ledger::fold_series(record::Recorder& recorder, std::uint32_t series) noexcept {
  Account& account = accounts_[series];
  if (!read(recorder, account)) return false;
  join_round(account);
  add_counts(account.tallied, reading_.tally() - account.tallied.recorded);
  const std::uint64_t timings = totals_.timings_recorded;
  bool whole = true;
  record::Reading::Sums sums;
  for (unsigned first = 0; first < record::chunk_count; first += record::chunks_per_mid) {
    if (!reading_.has_chunks_from(first)) continue;
    for (unsigned chunk = first; chunk < std::min(first + record::chunks_per_mid, record::chunk_count); ++chunk) {
      if (reading_.chunk(chunk, sums)) whole = fold_chunk(account, chunk, sums) && whole;
    }
  }
  if (!begins_round_ && totals_.timings_recorded != timings) timings_after_.put(series, true);
  note_owing(series);
  return whole;
}

bool Ledger::has_chunk(Account& account, unsigned index) noexcept {
  const unsigned number = index / record::chunks_per_mid;
  if (is_far(index) && !is_there(account.far, sizeof(Far), index)) return false;
  std::uint32_t& mid = is_far(index) ? arena_.at<Far>(account.far).mid[number - record::exact_mids]
                                     : account.mid[std::min(number, record::exact_mids)];
  return is_there(mid, sizeof(Mid), index) &&
         is_there(arena_.at<Mid>(mid).chunk[index % record::chunks_per_mid], sizeof(Chunk), index);
}

void Ledger::add_counts(Balance& balance, std::uint64_t more) noexcept {
  balance.recorded += more;
  totals_.recorded += more;
  if (!begins_round_) return;
  balance.round = balance.recorded;
  round_counts_ += more;
}

bool Ledger::fold_chunk(Account& account, unsigned index, const record::Reading::Sums& sums) noexcept {
  if (balance_of(account, index * record::cells_per_chunk) == nullptr) {
    if (std::all_of(sums.begin(), sums.end(), [](std::uint64_t sum) { return sum == 0; })) return true;
    if (!has_chunk(account, index)) return false;
  }
  Mid& mid = *mid_of(account, index);
  Chunk& chunk = arena_.at<Chunk>(mid.chunk[index % record::chunks_per_mid]);
  std::uint64_t more = 0;
  for (unsigned cell = 0; cell < record::cells_per_chunk; ++cell) {
    const std::uint64_t grown = grow(chunk.cell[cell].recorded, sums[cell]);
    if (grown == 0) continue;
    mid.owing[index % record::chunks_per_mid] |= std::uint64_t{1} << cell;
    if (begins_round_) chunk.cell[cell].round = sums[cell];
    more += grown;
  }
  add_counts(account.observed, more);
  totals_.timings_recorded += more;
  if (begins_round_) {
    account.round_timings += more;
    round_timings_ += more;
  }
  if (index == record::octave_chunk) totals_.coarse += more;
  return true;
}

// Whether what has this line is there, or could be made.
bool Ledger::is_there(std::uint32_t& line, std::size_t bytes, unsigned for_chunk) noexcept {
  if (line != 0) return true;
  const std::uint32_t count = record::lines_of(bytes);
  if (arena_.ready() < count) arena_.write_ahead(count, arena_.written() + count + Arena::lines_per_page);
  line = arena_.take(count);  // 0 where the system has no memory
  if (line != 0 && for_chunk == record::octave_chunk) taken_for_octaves_ += std::size_t{count} * Arena::line_bytes;
  return line != 0;
}

std::optional<std::uint32_t> Ledger::next_owing_counters(std::uint32_t from) const noexcept {
  return counters_owing_.next(from);
}

std::optional<std::uint32_t> Ledger::next_owing_timings(std::uint32_t from) const noexcept {
  return timings_owing_.next(from);
}

Counts Ledger::owed_counts(std::uint32_t series) const noexcept {
  const Account& account = accounts_[series];
  return {account.observed.owed(), account.tallied.owed(), account.announced != 0};
}

std::uint64_t Ledger::owed(std::uint32_t series, std::uint32_t cell) const noexcept {
  const Balance* const balance = balance_of(accounts_[series], cell);
  return balance != nullptr ? balance->owed_of_round() : 0;
}

std::optional<std::uint32_t> Ledger::next_owing(std::uint32_t series, std::uint32_t from) const noexcept {
  const Account& account = accounts_[series];
  std::uint64_t of_first = ~std::uint64_t{0} << from % record::cells_per_chunk;
  for (unsigned chunk = from / record::cells_per_chunk; chunk < record::chunk_count; ++chunk) {
    const Mid* const mid = mid_of(account, chunk);
    std::uint64_t owing = mid != nullptr ? mid->owing[chunk % record::chunks_per_mid] & of_first : 0;
    for (of_first = ~std::uint64_t{0}; owing != 0; owing &= owing - 1) {
      const std::uint32_t cell = chunk * record::cells_per_chunk + static_cast<unsigned>(std::countr_zero(owing));
      if (owed(series, cell) != 0) return cell;
    }
  }
  return std::nullopt;
}

void Ledger::owe_gauge(std::int64_t value) noexcept {
  gauge_ = value;
  gauge_owed_ = true;
}

std::optional<std::int64_t> Ledger::owed_gauge() const noexcept {
  return gauge_owed_ ? std::optional{gauge_} : std::nullopt;
}

bool Ledger::owes_nothing() const noexcept {
  return !gauge_owed_ && totals_.timings_owed() == 0 && !next_owing_counters(0);
}

std::uint64_t Ledger::recorded(std::uint32_t series) const noexcept {
  return accounts_[series].observed.recorded + accounts_[series].tallied.recorded;
}

void Ledger::book(const Share& share, bool accepted) noexcept {
  if (share.item == gauge_item) {
    gauge_owed_ = !accepted;  // taken back, a newer value goes out in its place
    return;
  }
  const std::uint64_t change = accepted ? share.count : 0 - share.count;
  if (share.item == left_out_item) {  // its cells have been booked as accepted
    totals_.timings_accepted -= change;
    totals_.left_out += change;
    return;
  }
  if (share.item == telemetry_item) {
    telemetry_[share.series].done += change;
    return;
  }
  Account& account = accounts_[share.series];
  if (share.item == announced_item) {
    account.announced += change;
  } else if (share.item == observed_item || share.item == tallied_item) {
    join_round(account);
    finish_counts(share.item == observed_item ? account.observed : account.tallied, change);
    totals_.accepted += change;
  } else {
    finish_timings(account, share.item, change);
    totals_.timings_accepted += change;
  }
  note_owing(share.series);
}

// Modulo 2^64: what is taken back is a negative count. Of counters more may leave than belongs to the round.
void Ledger::finish_counts(Balance& balance, std::uint64_t count) noexcept {
  round_counts_ -= balance.owed_of_round();
  balance.done += count;
  round_counts_ += balance.owed_of_round();
}

// All that was counted when the round began belongs to it: also what was on its way then, should it come back. To be
// called before an account's counts change.
void Ledger::join_round(Account& account) noexcept {
  if (std::exchange(account.joined_round, round_number_) == round_number_) return;
  for (Balance* const balance : {&account.observed, &account.tallied}) {
    round_counts_ += balance->owed() - balance->owed_of_round();
    balance->round = balance->recorded;
  }
}

void Ledger::finish_timings(Account& account, std::uint32_t cell, std::uint64_t count) noexcept {
  Balance& balance = *balance_of(account, cell);
  const std::uint64_t before = balance.owed_of_round();
  balance.done += count;
  const std::uint64_t change = balance.owed_of_round() - before;
  account.round_timings += change;
  round_timings_ += change;
  const unsigned chunk = cell / record::cells_per_chunk;
  std::uint64_t& owing = mid_of(account, chunk)->owing[chunk % record::chunks_per_mid];
  const std::uint64_t bit = std::uint64_t{1} << cell % record::cells_per_chunk;
  owing = balance.owed() != 0 ? owing | bit : owing & ~bit;
}

void Ledger::begin_round() noexcept {
  ++round_number_;
  counters_owing_.for_each([this](std::uint32_t series) { join_round(accounts_[series]); });
  timings_after_.for_each([this](std::uint32_t series) {
    Account& account = accounts_[series];
    std::uint64_t more = 0;
    for_each_balance(account, [&more](std::uint32_t, Balance& balance) {
      more += balance.owed() - balance.owed_of_round();
      balance.round = balance.recorded;
    });
    account.round_timings += more;
    round_timings_ += more;
    timings_after_.put(series, false);
    note_owing(series);
  });
}

void Ledger::expire() noexcept {
  counters_owing_.for_each([this](std::uint32_t series) {
    for (Balance* const balance : {&accounts_[series].observed, &accounts_[series].tallied}) {
      const std::uint64_t old = balance->owed_of_round();
      finish_counts(*balance, old);
      totals_.expired += old;
    }
    note_owing(series);
  });
  timings_owing_.for_each([this](std::uint32_t series) {
    Account& account = accounts_[series];
    for_each_balance(account, [this, &account](std::uint32_t cell, const Balance& balance) {
      const std::uint64_t old = balance.owed_of_round();
      finish_timings(account, cell, old);
      totals_.timings_expired += old;
    });
    note_owing(series);
  });
}

void Ledger::note_owing(std::uint32_t series) noexcept {
  const Account& account = accounts_[series];
  const Counts owed = owed_counts(series);
  const bool announce = !owed.announced && recorded(series) != 0;
  counters_owing_.put(series, owed.observed != 0 || owed.tallied != 0 || announce);
  timings_owing_.put(series, account.round_timings != 0);
}

Mid* Ledger::mid_of(const Account& account, unsigned chunk) const noexcept {
  const unsigned number = chunk / record::chunks_per_mid;
  std::uint32_t line = 0;
  if (!is_far(chunk)) {
    line = account.mid[std::min(number, record::exact_mids)];
  } else if (account.far != 0) {
    line = arena_.at<Far>(account.far).mid[number - record::exact_mids];
  }
  return line != 0 ? &arena_.at<Mid>(line) : nullptr;
}

Balance* Ledger::balance_of(const Account& account, std::uint32_t cell) const noexcept {
  const unsigned chunk = cell / record::cells_per_chunk;
  const Mid* const mid = mid_of(account, chunk);
  const std::uint32_t line = mid != nullptr ? mid->chunk[chunk % record::chunks_per_mid] : 0;
  return line != 0 ? &arena_.at<Chunk>(line).cell[cell % record::cells_per_chunk] : nullptr;
}

}  // namespace event_metrics::inline v0::ledger
