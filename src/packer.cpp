#include "packer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <utility>

#include "client_telemetry.hpp"
#include "record/cells.hpp"
#include "wire/weight.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr std::uint64_t most_thinning = 1'000'000;

bool weighs(const wire::AgentRules& rules) noexcept { return rules.timing_weight_max > 1; }

}  // namespace

// No line of a delivery is shorter than 16 bytes. A thinned one may stand for several cells.
std::size_t Packer::most_shares(const wire::AgentRules& rules, std::size_t limit) noexcept {
  return limit / (weighs(rules) ? 16 : 4);
}

std::size_t Packer::bytes(const wire::AgentRules& rules, std::size_t limit) noexcept {
  return limit + 2 * most_shares(rules, limit) * sizeof(ledger::Share) + record::cell_count * sizeof(std::uint32_t);
}

Packer::Packer(const wire::AgentRules& rules, std::size_t limit, const DeliverySeries& series,
               const std::string& telemetry_suffix, ledger::Ledger& ledger)
    : rules_{rules}, series_{series}, telemetry_suffix_{telemetry_suffix}, ledger_{ledger}, datagram_{rules, limit} {
  shares_.reserve(most_shares(rules, limit));
  run_.reserve(most_shares(rules, limit));
  pass_.reserve(record::cell_count);
}

void Packer::begin_turn(std::uint64_t turn_bytes) noexcept {
  ++turns_;
  thinning_ = 1;
  if (weighs(rules_)) return;
  constexpr std::size_t around_name = 11;  // `:1234|ms` and the line break, with some room for larger values
  std::uint64_t bytes = 0;
  for (std::uint32_t series = 0; series < ledger_.series_count(); ++series) {
    const std::size_t line = series_.keys().duration.size() + around_name + series_.suffix(series).size();
    bytes += ledger_.owed_timings(series) * line;
  }
  const std::uint64_t patient = turn_bytes * patience;
  thinning_ =
      wire::next_weight(std::clamp<std::uint64_t>((bytes + patient - 1) / patient, 1, most_thinning), most_thinning);
}

bool Packer::fill() {
  datagram_.clear();
  shares_.clear();
  try {
    add_owed();
  } catch (...) {
    undo();
    throw;
  }
  return !datagram_.empty();
}

void Packer::add_owed() {
  if (!add_gauge() || !add_own()) return;
  // Counters go first. Where they alone fill a datagram, the next one begins with durations, or these would never
  // leave.
  const bool durations_first = std::exchange(crowded_, false);
  if (!durations_first && !add_counters()) {
    crowded_ = true;
    return;
  }
  if (add_timings() && durations_first) (void)add_counters();
}

void Packer::undo() noexcept {
  for (const ledger::Share& share : shares_) ledger_.take_back(share);
}

bool Packer::add(std::span<const wire::Line> lines, std::span<const ledger::Share> shares) {
  if (shares_.size() + shares.size() > shares_.capacity() || !datagram_.add(lines)) return false;
  for (const ledger::Share& share : shares) {
    shares_.push_back(share);
    ledger_.commit(share);  // until undo(): what is composed twice must not be owed twice
  }
  return true;
}

bool Packer::add_gauge() {
  const std::optional<std::int64_t> value = ledger_.owed_gauge();
  if (!value) return true;
  const std::array lines{
      wire::Line{series_.keys().active_tasks, wire::Kind::gauge, *value, 1, series_.common_suffix()}};
  const std::array shares{ledger::Share{0, ledger::gauge_entry, 1}};
  return add(lines, shares);
}

bool Packer::add_own() {
  for (; own_ < ledger::own_count; ++own_) {
    const std::uint64_t owed = ledger_.owed_own(own_);
    const std::array lines{
        wire::Line{telemetry_keys[own_], wire::Kind::counter, static_cast<std::int64_t>(owed), 1, telemetry_suffix_}};
    const std::array shares{ledger::Share{own_, ledger::own_entry, owed}};
    if (!add(lines, shares) && !datagram_.empty()) return false;  // one that fits in no datagram is let go
  }
  return true;
}

bool Packer::add_counters() {
  while (const auto series = ledger_.next_owing_counters(counter_series_)) {
    if (!add_counters_of(*series)) return false;
    counter_series_ = *series + 1;
  }
  return true;
}

// The first time all three, zeros included: a rate misses the first increment of a series that was never zero.
bool Packer::add_counters_of(std::uint32_t series) {
  const ledger::Counters owed = ledger_.owed_counters(series);
  const DeliveryKeys& keys = series_.keys();
  std::array<wire::Line, 3> lines{};
  std::size_t count = 0;
  const auto line = [&](std::string_view key, std::uint64_t value) {
    if (value == 0 && owed.announced) return;
    lines[count++] = {key, wire::Kind::counter, static_cast<std::int64_t>(value), 1, series_.suffix(series)};
  };
  line(keys.attempts, owed.successes + owed.failed);
  line(keys.successes, owed.successes);
  line(keys.failures, owed.failed);
  const std::array shares{ledger::Share{series, ledger::success_entry, owed.successes},
                          ledger::Share{series, ledger::failed_entry, owed.failed},
                          ledger::Share{series, ledger::announced_entry, 1}};
  return add({lines.data(), count}, {shares.data(), owed.announced ? 2U : 3U});
}

bool Packer::add_timings() {
  while (find_timing()) {
    if (!add_timing()) return false;
  }
  return true;
}

bool Packer::find_timing() {
  for (;;) {
    for (; pass_at_ < pass_.size(); ++pass_at_) {
      if (ledger_.owed(timing_series_, pass_[pass_at_]) != 0) return true;
    }
    const auto series = ledger_.next_owing_timings(timing_series_ + 1);
    if (!series) return false;
    timing_series_ = *series;
    pass_at_ = 0;
    ledger_.owed_cells(timing_series_, pass_);
    // Telegraf's percentiles come from the first samples of an interval: in order they would be the smallest ones.
    if (rules_.shuffle_timings) std::shuffle(pass_.begin(), pass_.end(), std::minstd_rand{turns_});
  }
}

bool Packer::add_timing() {
  const std::size_t begun_at = pass_at_;
  std::uint64_t count = next_run();
  std::uint64_t to_median = count / 2;
  const auto median = std::find_if(run_.begin(), run_.end(), [&to_median](const ledger::Share& share) {
    if (to_median < share.count) return true;
    to_median -= share.count;
    return false;
  });
  const std::int64_t value = record::value_of(median->entry);
  if (!weighs(rules_) && !rules_.rate_counts && count > 1) {
    run_.push_back({timing_series_, ledger::left_out_entry, std::exchange(count, 1) - 1});
  }
  const std::array lines{
      wire::Line{series_.keys().duration, series_.keys().duration_kind, value, count, series_.suffix(timing_series_)}};
  if (add(lines, run_)) return true;
  pass_at_ = begun_at;
  return false;
}

// The durations of the next line: equal ones where the line has a weight, else neighbouring ones when thinning.
std::uint64_t Packer::next_run() {
  run_.clear();
  const std::uint64_t most = weighs(rules_) ? rules_.timing_weight_max : thinning_;
  const std::size_t room = shares_.capacity() > shares_.size() + 2 ? shares_.capacity() - shares_.size() - 1 : 1;
  std::uint64_t count = 0;
  do {
    const std::uint32_t cell = pass_[pass_at_++];
    const std::uint64_t owed = std::min(ledger_.owed(timing_series_, cell), most - count);
    if (owed != 0) run_.push_back({timing_series_, cell, owed});
    count += owed;
  } while (!weighs(rules_) && count < most && run_.size() < room && pass_at_ < pass_.size());
  // A weight that no rate can say is made smaller by a few, which stay owed.
  const std::uint64_t weight = wire::next_weight(count, most);
  for (std::uint64_t excess = count - weight; excess > 0;) {
    const std::uint64_t less = std::min(excess, run_.back().count);
    run_.back().count -= less;
    excess -= less;
    if (run_.back().count == 0) run_.pop_back();
  }
  return weight;
}

}  // namespace event_metrics::inline v0
