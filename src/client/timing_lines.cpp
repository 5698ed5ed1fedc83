#include "client/timing_lines.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "record/cells.hpp"
#include "wire/weight.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr std::uint64_t most_merged = 1'000'000;
// Lines of a visit: the fewer, the more often a series is read anew; the more, the longer others wait for theirs.
constexpr std::uint64_t least_visit = 64;
static_assert(record::cell_count <= 1U << 16U);  // a visit has a cell for each line, in 16 bits

// What a line can say that it stands for. Where a rate weighs a timing's count alone, that much stays right.
std::uint64_t most_weight(const wire::AgentRules& rules) noexcept {
  return rules.rate_counts ? most_merged : rules.timing_weight_max;
}

}  // namespace

std::size_t TimingLines::bytes(std::size_t most_shares) noexcept {
  return most_shares * sizeof(ledger::Share) + record::cell_count * sizeof(std::uint16_t);
}

TimingLines::TimingLines(const wire::AgentRules& rules, const DeliverySeries& series, const ledger::Ledger& ledger,
                         std::size_t most_shares)
    : rules_{rules}, series_{series}, ledger_{ledger} {
  run_.reserve(most_shares);
  visit_.reserve(record::cell_count);
}

void TimingLines::begin_turn(std::uint64_t turn_bytes, std::uint64_t turns) noexcept {
  merged_ = 1;
  if (ledger_.owed_timings() == 0) return;
  const auto turn = static_cast<double>(turn_bytes);
  // What was recorded since the round began is much like it, and has to leave as well.
  const double all = static_cast<double>(ledger_.totals().timings_owed()) / static_cast<double>(ledger_.owed_timings());
  // Where a line tells all equal durations, however many, the number of lines does not grow while they wait. No round
  // has to hurry there, but two have to fit in the time; what leaves within half a second may always wait.
  const bool bounded = rules_.timing_weight_max >= most_merged;
  const double patient = turn * static_cast<double>(most_turns);
  double merged = merged_to_fit(bounded ? 1 : all, bounded ? std::max(patient / 2, 1e6) : patient);
  constexpr double hurry = 1.25;  // since a turn may carry less than it should
  if (turns < most_turns && !bounded) {
    merged = std::max(merged, hurry * merged_to_fit(1, turn * static_cast<double>(turns)));
  }
  if (merged == 0) return;
  merged = std::clamp(std::ceil(merged), 1.0, static_cast<double>(most_merged));
  merged_ = wire::next_weight(static_cast<std::uint64_t>(merged), most_merged);
}

// How many durations a line has to tell, so that `times` as many as the round owes find room; 0 where they do as it is.
double TimingLines::merged_to_fit(double times, double room) const noexcept {
  const double one_by_one = times * owed_bytes([](std::uint32_t, double durations) { return durations; });
  if (one_by_one <= room) return 0;
  // With as many equal ones to a line as the agent weighs.
  const double weighed = owed_bytes([this, times](std::uint32_t series, double durations) {
    double lines = times * durations / static_cast<double>(rules_.timing_weight_max);
    ledger_.for_each_owing(series, [&lines](std::uint32_t, std::uint64_t) { ++lines; });
    return std::min(times * durations, lines);
  });
  return weighed > room ? one_by_one / room : 0;
}

template <class Lines>
double TimingLines::owed_bytes(Lines lines) const noexcept {
  constexpr std::size_t around_name = 11;  // `:1234|ms` and the line break, with some room for larger values
  double bytes = 0;
  std::uint32_t from = 0;
  for (auto series = ledger_.next_owing_timings(from); series && *series >= from;
       series = ledger_.next_owing_timings(from)) {
    const std::size_t line = series_.schema().observed.size() + around_name + series_.suffix(*series).size();
    bytes += lines(*series, static_cast<double>(ledger_.owed_timings(*series))) * static_cast<double>(line);
    from = *series + 1;
  }
  return bytes;
}

std::optional<wire::Line> TimingLines::next(std::size_t room) {
  if (!find()) return std::nullopt;
  const std::uint64_t count = next_run(room);
  std::uint64_t to_median = count / 2;
  const auto median = std::find_if(run_.begin(), run_.end(), [&to_median](const ledger::Share& share) {
    if (to_median < share.count) return true;
    to_median -= share.count;
    return false;
  });
  const auto value = static_cast<std::int64_t>(record::value_of(median->item));
  const std::uint64_t weight = wire::next_weight(count, most_weight(rules_));
  if (weight < count) run_.push_back({visited_, ledger::left_out_item, count - weight});
  return wire::Line{series_.schema().observed, series_.schema().observed_kind, value, weight, series_.suffix(visited_)};
}

bool TimingLines::find() {
  for (;;) {
    for (; visit_at_ < visit_.size(); ++visit_at_) {
      if (ledger_.owed(visited_, cell_at(visit_at_)) != 0) return true;
    }
    const auto series = ledger_.next_owing_timings(visited_ + 1);
    if (!series) return false;
    begin_visit(*series);
  }
}

// Systematic sampling: from a random line on every n-th one, so that a value has the same share of every visit. Nothing
// has to be remembered between two visits, as the second is made of what is owed then.
void TimingLines::begin_visit(std::uint32_t series) {
  visited_ = series;
  visit_.clear();
  visit_at_ = 0;
  std::uint64_t units = 0;
  std::uint64_t cells = 0;
  ledger_.for_each_owing(series, [&](std::uint32_t, std::uint64_t owed) {
    units += units_of(owed);
    ++cells;
  });
  const std::uint64_t lines = (units + merged_ - 1) / merged_;
  const std::uint64_t taken = std::min(lines, std::max(cells, least_visit));
  std::uint64_t before = 0;
  // All positions are multiplied by `taken`, so that they are whole numbers.
  std::uint64_t next = taken < lines ? std::uniform_int_distribution<std::uint64_t>{0, units - 1}(random_) : 0;
  ledger_.for_each_owing(series, [&](std::uint32_t cell, std::uint64_t owed) {
    before += units_of(owed);
    for (; next < before * taken; next += units) visit_.push_back(static_cast<std::uint16_t>(cell));
  });
  if (!rules_.shuffle_timings) return;
  // By the golden ratio's part of the whole from line to line: however few lines in a row one looks at, they lie evenly
  // among the values, more so than at random.
  stride_ = static_cast<std::size_t>(static_cast<double>(visit_.size()) * (std::numbers::phi - 1)) + 1;
  while (std::gcd(stride_, visit_.size()) != 1) ++stride_;
  first_ = std::uniform_int_distribution<std::size_t>{0, visit_.size() - 1}(random_);
}

std::uint32_t TimingLines::cell_at(std::size_t line) const noexcept {
  return visit_[(first_ + line * stride_) % visit_.size()];
}

// How much of the lines so many durations of one cell need, in parts of a line: `merged_` of them are one.
std::uint64_t TimingLines::units_of(std::uint64_t owed) const noexcept {
  if (owed < merged_) return owed;
  const std::uint64_t line = std::max(merged_, rules_.timing_weight_max);
  return (owed + line - 1) / line * merged_;
}

// How many of so many durations of one cell the next line tells. Where the order matters, the lines of a cell are as
// long as each other: the last visits would have the short ones.
std::uint64_t TimingLines::most_of_line(std::uint64_t owed) const noexcept {
  if (merged_ > 1 || !rules_.shuffle_timings) return std::max(merged_, rules_.timing_weight_max);
  const std::uint64_t lines = units_of(owed);
  return (owed + lines - 1) / lines;
}

// The durations of the next line: of one cell, and where lines are merged of those above it. Returns how many.
std::uint64_t TimingLines::next_run(std::size_t room) {
  run_.clear();
  const std::size_t most_cells = room > 2 ? room - 1 : 1;
  const std::uint32_t first = cell_at(visit_at_);
  // The octave cells, which come last, begin at 1 again.
  const auto is_beside = [first](std::uint32_t cell) {
    return cell < record::fine_cells || first >= record::fine_cells;
  };
  std::uint64_t most = most_of_line(ledger_.owed(visited_, first));
  std::uint64_t count = 0;
  for (std::optional cell{first}; cell && is_beside(*cell); cell = ledger_.next_owing(visited_, *cell + 1)) {
    const std::uint64_t owed = std::min(ledger_.owed(visited_, *cell), most - count);
    run_.push_back({visited_, *cell, owed});
    count += owed;
    most = merged_;
    if (count >= merged_ || run_.size() >= most_cells) break;
  }
  // A weight that no rate can say is made smaller by a few, which stay owed. More than any weight is left out.
  if (count > most_weight(rules_)) return count;
  const std::uint64_t weight = wire::next_weight(count, count);
  for (std::uint64_t excess = count - weight; excess > 0;) {
    const std::uint64_t less = std::min(excess, run_.back().count);
    run_.back().count -= less;
    excess -= less;
    if (run_.back().count == 0) run_.pop_back();
  }
  return weight;
}

}  // namespace event_metrics::inline v0
