#include "ledger/ledger.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace event_metrics::inline v0::ledger {
namespace {

using record::Arena;

constexpr unsigned bits = 64;

/// By how much `recorded` is less than what has been read now.
std::uint64_t grow(std::uint64_t& recorded, std::uint64_t sum) noexcept { return sum - std::exchange(recorded, sum); }

}  // namespace

template <class Visit>
void Ledger::for_each_mark(const Marks& marks, Visit visit) {
  for (std::size_t at = 0; at < marks.size(); ++at) {
    for (std::uint64_t word = marks[at]; word != 0; word &= word - 1) {
      visit(static_cast<std::uint32_t>(at * bits) + static_cast<unsigned>(std::countr_zero(word)));
    }
  }
}

Ledger::Ledger(record::Budget& budget, std::uint32_t max_series) : budget_{budget}, arena_{budget.bytes()} {
  for (Marks* const marks : {&counters_owing_, &timings_owing_, &timings_after_, &fold_marks_})
    marks->resize(max_series / bits + 1);
  accounts_.reserve(max_series);
  endpoints_.reserve(max_series);
  budget_.begin(memory_bytes());
}

std::size_t Ledger::fixed_bytes(std::uint32_t max_series) noexcept {
  // An octave needs no cell of the recorder's, so nothing else accounts for its chunk.
  constexpr std::size_t one = sizeof(Account) + sizeof(Endpoint) + sizeof(Mid) + sizeof(Chunk);
  constexpr std::size_t marks = 4;
  return max_series * one + marks * (max_series / bits + 1) * sizeof(std::uint64_t);
}

std::size_t Ledger::memory_bytes() const noexcept {
  return std::size_t{arena_.taken()} * Arena::line_bytes - octave_bytes_ + reading_.memory_bytes();
}

std::uint32_t Ledger::add_series() {
  accounts_.emplace_back();
  return static_cast<std::uint32_t>(accounts_.size() - 1);
}

void Ledger::attach_endpoint(std::uint32_t series) {
  const std::uint32_t before = std::exchange(accounts_[series].newest_endpoint, endpoint_count());
  endpoints_.push_back({series, before});  // within what was reserved
  set_mark(fold_marks_, series, true);     // what was counted before may have been marked before, and the mark taken
}

bool Ledger::fold(record::Recorder& recorder, bool all) noexcept {
  budget_.begin_reading();
  begins_round_ = round_is_over();
  if (begins_round_) begin_round();
  recorder.drain();
  // All marks of a series are taken before its cells are read, or a count between the two would wait unseen.
  for (std::uint32_t number = 0; number < std::min(endpoint_count(), record::Marks::count); ++number) {
    if (!recorder.take_marks(number)) continue;
    for (std::uint32_t endpoint = number; endpoint < endpoint_count(); endpoint += record::Marks::count) {
      set_mark(fold_marks_, endpoints_[endpoint].series, true);
    }
  }
  bool complete = all;
  for_each_mark(fold_marks_, [&](std::uint32_t series) {
    // Without memory for all of it the series keeps its mark, and the others are as they should be.
    const bool whole = fold_series(recorder, series);
    set_mark(fold_marks_, series, !whole);
    complete = complete && whole;
  });
  budget_.end_reading(complete, memory_bytes());
  return complete;
}

bool Ledger::read(const record::Recorder& recorder, const Account& account) noexcept {
  reading_.clear();
  try {
    for (std::uint32_t each = account.newest_endpoint; each != no_endpoint; each = endpoints_[each].before) {
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
  add_deliveries(account.failed, reading_.failed() - account.failed.recorded);
  const std::uint64_t timings = totals_.timings_recorded;
  bool whole = true;
  record::Reading::Sums sums;
  for (unsigned first = 0; first < record::chunk_count; first += record::chunks_per_mid) {
    if (!reading_.has_chunks_from(first)) continue;
    for (unsigned chunk = first; chunk < std::min(first + record::chunks_per_mid, record::chunk_count); ++chunk) {
      if (reading_.chunk(chunk, sums)) whole = fold_chunk(account, chunk, sums) && whole;
    }
  }
  if (!begins_round_ && totals_.timings_recorded != timings) set_mark(timings_after_, series, true);
  mark(series);
  return whole;
}

bool Ledger::has_chunk(Account& account, unsigned index) noexcept {
  std::uint32_t& mid_line = account.mid[index / record::chunks_per_mid];
  if (mid_line == 0) mid_line = take(sizeof(Mid), index);
  if (mid_line == 0) return false;
  std::uint32_t& chunk_line = arena_.at<Mid>(mid_line).chunk[index % record::chunks_per_mid];
  if (chunk_line == 0) chunk_line = take(sizeof(Chunk), index);
  return chunk_line != 0;
}

void Ledger::add_deliveries(Entry& entry, std::uint64_t more) noexcept {
  entry.recorded += more;
  totals_.recorded += more;
  if (!begins_round_) return;
  entry.round = entry.recorded;
  round_deliveries_ += more;
}

bool Ledger::fold_chunk(Account& account, unsigned index, const record::Reading::Sums& sums) noexcept {
  if (entry_of(account, index * record::cells_per_chunk) == nullptr) {
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
  add_deliveries(account.success, more);
  totals_.timings_recorded += more;
  if (begins_round_) {
    account.round_timings += more;
    round_timings_ += more;
  }
  if (index == record::octave_chunk) totals_.coarse += more;
  return true;
}

std::uint32_t Ledger::take(std::size_t bytes, unsigned for_chunk) noexcept {
  const std::uint32_t count = record::lines_of(bytes);
  if (arena_.ready() < count) arena_.write_ahead(count, arena_.written() + count + Arena::lines_per_page);
  const std::uint32_t line = arena_.take(count);  // 0 where the system has no memory
  if (line != 0 && for_chunk == record::octave_chunk) octave_bytes_ += std::size_t{count} * Arena::line_bytes;
  return line;
}

std::optional<std::uint32_t> Ledger::next_owing_counters(std::uint32_t from) const noexcept {
  return next_mark(counters_owing_, from);
}

std::optional<std::uint32_t> Ledger::next_owing_timings(std::uint32_t from) const noexcept {
  return next_mark(timings_owing_, from);
}

Counters Ledger::owed_counters(std::uint32_t series) const noexcept {
  const Account& account = accounts_[series];
  return {account.success.owed(), account.failed.owed(), account.announced != 0};
}

std::uint64_t Ledger::owed(std::uint32_t series, std::uint32_t cell) const noexcept {
  const Entry* const entry = entry_of(accounts_[series], cell);
  return entry != nullptr ? entry->owed_of_round() : 0;
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
  return accounts_[series].success.recorded + accounts_[series].failed.recorded;
}

void Ledger::book(const Share& share, bool accepted) noexcept {
  if (share.entry == gauge_entry) {
    gauge_owed_ = !accepted;  // taken back, a newer value goes out in its place
    return;
  }
  const std::uint64_t change = accepted ? share.count : 0 - share.count;
  if (share.entry == left_out_entry) {  // its cells have been booked as accepted
    totals_.timings_accepted -= change;
    totals_.left_out += change;
    return;
  }
  if (share.entry == own_entry) {
    own_[share.series].done += change;
    return;
  }
  Account& account = accounts_[share.series];
  if (share.entry == announced_entry) {
    account.announced += change;
  } else if (share.entry == success_entry || share.entry == record::failed_cell) {
    join_round(account);
    finish_deliveries(share.entry == success_entry ? account.success : account.failed, change);
    totals_.accepted += change;
  } else {
    finish_timings(account, share.entry, change);
    totals_.timings_accepted += change;
  }
  mark(share.series);
}

// Modulo 2^64: what is taken back is a negative count. Of counters more may leave than belongs to the round.
void Ledger::finish_deliveries(Entry& entry, std::uint64_t count) noexcept {
  round_deliveries_ -= entry.owed_of_round();
  entry.done += count;
  round_deliveries_ += entry.owed_of_round();
}

// All deliveries that were recorded when the round began belong to it: also those that were on their way then, should
// they come back. To be called before an account's deliveries change.
void Ledger::join_round(Account& account) noexcept {
  if (std::exchange(account.joined_round, round_number_) == round_number_) return;
  for (Entry* const entry : {&account.success, &account.failed}) {
    round_deliveries_ += entry->owed() - entry->owed_of_round();
    entry->round = entry->recorded;
  }
}

void Ledger::finish_timings(Account& account, std::uint32_t cell, std::uint64_t count) noexcept {
  Entry& entry = *entry_of(account, cell);
  const std::uint64_t before = entry.owed_of_round();
  entry.done += count;
  const std::uint64_t change = entry.owed_of_round() - before;
  account.round_timings += change;
  round_timings_ += change;
  const unsigned chunk = cell / record::cells_per_chunk;
  std::uint64_t& owing = mid_of(account, chunk)->owing[chunk % record::chunks_per_mid];
  const std::uint64_t bit = std::uint64_t{1} << cell % record::cells_per_chunk;
  owing = entry.owed() != 0 ? owing | bit : owing & ~bit;
}

void Ledger::begin_round() noexcept {
  ++round_number_;
  for_each_mark(counters_owing_, [this](std::uint32_t series) { join_round(accounts_[series]); });
  for_each_mark(timings_after_, [this](std::uint32_t series) {
    Account& account = accounts_[series];
    std::uint64_t more = 0;
    for_each_entry(account, [&more](std::uint32_t, Entry& entry) {
      more += entry.owed() - entry.owed_of_round();
      entry.round = entry.recorded;
    });
    account.round_timings += more;
    round_timings_ += more;
    set_mark(timings_after_, series, false);
    mark(series);
  });
}

void Ledger::expire() noexcept {
  for_each_mark(counters_owing_, [this](std::uint32_t series) {
    for (Entry* const entry : {&accounts_[series].success, &accounts_[series].failed}) {
      const std::uint64_t old = entry->owed_of_round();
      finish_deliveries(*entry, old);
      totals_.expired += old;
    }
    mark(series);
  });
  for_each_mark(timings_owing_, [this](std::uint32_t series) {
    Account& account = accounts_[series];
    for_each_entry(account, [this, &account](std::uint32_t cell, const Entry& entry) {
      const std::uint64_t old = entry.owed_of_round();
      finish_timings(account, cell, old);
      totals_.timings_expired += old;
    });
    mark(series);
  });
}

void Ledger::mark(std::uint32_t series) noexcept {
  const Account& account = accounts_[series];
  const Counters counters = owed_counters(series);
  const bool announce = !counters.announced && recorded(series) != 0;
  set_mark(counters_owing_, series, counters.successes != 0 || counters.failed != 0 || announce);
  set_mark(timings_owing_, series, account.round_timings != 0);
}

Ledger::Mid* Ledger::mid_of(const Account& account, unsigned chunk) const noexcept {
  const std::uint32_t line = account.mid[chunk / record::chunks_per_mid];
  return line != 0 ? &arena_.at<Mid>(line) : nullptr;
}

Ledger::Entry* Ledger::entry_of(const Account& account, std::uint32_t cell) const noexcept {
  const unsigned chunk = cell / record::cells_per_chunk;
  const Mid* const mid = mid_of(account, chunk);
  const std::uint32_t line = mid != nullptr ? mid->chunk[chunk % record::chunks_per_mid] : 0;
  return line != 0 ? &arena_.at<Chunk>(line).cell[cell % record::cells_per_chunk] : nullptr;
}

std::optional<std::uint32_t> Ledger::next_mark(const Marks& marks, std::uint32_t from) noexcept {
  const std::size_t first = from / bits < marks.size() ? from / bits : 0;
  const std::uint64_t before = (std::uint64_t{1} << from % bits) - 1;  // of the first word, those looked at last
  for (std::size_t i = 0; i <= marks.size(); ++i) {
    const std::size_t at = (first + i) % marks.size();
    std::uint64_t word = marks[at];
    if (i == 0) word &= ~before;
    if (i == marks.size()) word &= before;
    if (word != 0) return static_cast<std::uint32_t>(at * bits) + static_cast<unsigned>(std::countr_zero(word));
  }
  return std::nullopt;
}

void Ledger::set_mark(Marks& marks, std::uint32_t series, bool on) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << series % bits;
  std::uint64_t& word = marks[series / bits];
  word = on ? word | bit : word & ~bit;
}

}  // namespace event_metrics::inline v0::ledger
