#include "flush.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <random>
#include <string>
#include <utility>

#include "wire/weight.hpp"

namespace event_metrics::inline v0 {
namespace {

// No line of a delivery is shorter, so no datagram has more shares.
constexpr std::size_t shortest_line = 16;
constexpr std::size_t most_quoted = 1184;

std::uint32_t series_of(const Flush::Setup& setup) noexcept { return setup.max_endpoints + record::first_endpoint; }

// Only UDP takes back what it accepted.
std::size_t quoted_bytes(const Flush::Setup& setup) noexcept {
  return setup.address.kind == transport::Address::Kind::udp ? most_quoted : 0;
}
std::size_t most_shares(const Flush::Setup& setup) noexcept { return setup.datagram_limit / shortest_line; }
std::size_t kept_shares(const Flush::Setup& setup) noexcept { return quoted_bytes(setup) > 0 ? most_shares(setup) : 0; }

}  // namespace

Flush::Flush(Setup setup, DeliverySeries series, record::Recorder& recorder)
    : setup_{std::move(setup)},
      fixed_bytes_{fixed_bytes(setup_)},
      series_{std::move(series)},
      recorder_{recorder},
      ledger_{setup_.memory_bytes, series_of(setup_)},
      channel_{setup_.address},
      datagram_{setup_.rules, setup_.datagram_limit},
      provisional_{quoted_bytes(setup_), kept_shares(setup_)},
      next_turn_{Clock::now() + setup_.interval},
      next_fold_{next_turn_},
      folded_lines_{recorder.taken_lines()},
      fold_lines_{folded_lines_} {
  shares_.reserve(most_shares(setup_));
  pass_.reserve(record::cells_per_chunk);
  for (std::uint32_t opened = 0; opened < series_.size(); ++opened) (void)ledger_.add_series();
  ledger_.attach_endpoint(DeliverySeries::other);
  ledger_.attach_endpoint(setup_.by_endpoint ? DeliverySeries::invalid : DeliverySeries::other);
}

std::size_t Flush::fixed_bytes(const Setup& setup) noexcept {
  const std::size_t datagrams = setup.datagram_limit + most_shares(setup) * sizeof(ledger::Share) +
                                Provisional::bytes(quoted_bytes(setup), kept_shares(setup));
  return ledger::Ledger::fixed_bytes(series_of(setup)) +
         DeliverySeries::most_bytes(series_of(setup), setup.longest_suffix) + datagrams;
}

bool Flush::write_ahead() noexcept {
  return recorder_.write_ahead(fixed_bytes_ + ledger_.memory_bytes(), folded_lines_);
}

void Flush::begin_turn(Clock::time_point now) {
  ++turns_;
  fold(now);
  const record::Recorder::ActiveTasks tasks = recorder_.active_tasks();
  if (!setup_.in_child || tasks.touched) ledger_.owe_gauge(tasks.count);
}

void Flush::end_active_tasks() noexcept {
  if (!setup_.in_child || recorder_.active_tasks().touched) ledger_.owe_gauge(0);
}

void Flush::fold(Clock::time_point now) {
  next_fold_ = now + longest_unfolded;
  const std::uint32_t taken = recorder_.taken_lines();
  while (ledger_.endpoint_count() < recorder_.endpoint_count()) {
    const std::uint32_t series = series_.find_or_add(recorder_.endpoint(ledger_.endpoint_count()));
    if (series == ledger_.series_count()) (void)ledger_.add_series();
    ledger_.attach_endpoint(series);
  }
  ledger_.fold(recorder_);
  folded_lines_ = std::exchange(fold_lines_, taken);
  if (ledger_.totals().coarse > counts_.coarse) {
    counts_.coarse = ledger_.totals().coarse;
    note(Cause::coarse, now, "durations are kept by octave only: raise max_memory_bytes");
  }
  if (setup_.by_endpoint && ledger_.recorded(DeliverySeries::other) > counts_.other) {
    counts_.other = ledger_.recorded(DeliverySeries::other);
    note(Cause::other, now, "deliveries are counted under endpoint:other: raise max_endpoints");
  }
}

Flush::Outcome Flush::burst(Clock::time_point now, Urgency urgency) {
  if (now >= next_turn_) {
    next_turn_ += setup_.interval;  // keeps its phase, unless it is a whole turn late
    if (next_turn_ <= now) next_turn_ = now + setup_.interval;
    begin_turn(now);
  } else if (now >= next_fold_) {
    fold(now);
  }
  if (read_refusals(now)) {
    rest(now, Step::refused);
  } else if (probing_ && provisional_.empty()) {
    away_ = probing_ = false;  // the probe arrived
    rest_until_ = now;
  }
  if (may_send(now, urgency)) send_burst(now);
  look_for_drain(now);
  return {next_call(urgency), accepted_until_};
}

void Flush::look_for_drain(Clock::time_point now) noexcept {
  if (!drain_ && ledger_.owes_nothing()) drain_ = Drain{now, provisional_.settled_at()};
  if (drain_ && drain_->settled_at <= now) {
    accepted_until_ = drain_->at;
    drain_.reset();
  }
}

bool Flush::may_send(Clock::time_point now, Urgency urgency) {
  if (ledger_.owes_nothing() || probing_ || now < not_before_) return false;
  if (urgency == Urgency::routine && now < rest_until_) return false;
  return channel_.is_open() || open(now);
}

bool Flush::open(Clock::time_point now) {
  const std::error_code error = channel_.open();
  if (!error) return true;
  ++counts_.connect_errors;
  note(Cause::unreachable, now, "no connection", error);
  rest(now, Step::failed);
  return false;
}

void Flush::send_burst(Clock::time_point now) {
  const int most = away_ ? 1 : burst_datagrams;
  std::size_t bytes = 0;
  Step step = Step::sent;
  for (int sent = 0; sent < most && bytes < burst_bytes; ++sent) {
    step = send_one(now);
    if (step != Step::sent) break;
    bytes += datagram_.bytes().size();
  }
  rest(now, step);
}

Flush::Step Flush::send_one(Clock::time_point now) {
  compose();
  if (datagram_.empty()) return Step::nothing;
  const std::size_t quoted = channel_.quoted_bytes();
  if (quoted > 0 && (provisional_.full() || provisional_.ambiguous(datagram_.bytes(), quoted))) {
    undo();
    return Step::unsettled;
  }
  const transport::Verdict verdict = channel_.send(datagram_.bytes());
  if (verdict == transport::Verdict::accepted) return keep_accepted(now);
  undo();
  switch (verdict) {
    case transport::Verdict::later:
      ++counts_.datagrams_delayed;
      note(Cause::delayed, now, "the agent reads too slowly", channel_.error());
      return Step::later;
    case transport::Verdict::refused:
      (void)read_refusals(now);
      note(Cause::refused, now, "no agent listens", channel_.error());
      return Step::refused;
    case transport::Verdict::too_big:
      if (datagram_.limit() > series_.longest_group()) return shrink();
      [[fallthrough]];
    default:
      ++counts_.send_errors;
      note(Cause::send_error, now, "sending failed", channel_.error());
      (void)read_refusals(now);
      channel_.close();
      provisional_.forget();
      return Step::failed;
  }
}

Flush::Step Flush::keep_accepted(Clock::time_point now) {
  ++counts_.datagrams_accepted;
  counts_.bytes_accepted += datagram_.bytes().size();
  if (channel_.quoted_bytes() == 0) return Step::sent;
  provisional_.keep(datagram_.bytes(), channel_.quoted_bytes(), shares_, Clock::now());
  return read_refusals(now) ? Step::refused : Step::sent;
}

Flush::Step Flush::shrink() noexcept {
  ++counts_.send_errors;
  const std::size_t limit = std::max(datagram_.limit() / 2, series_.longest_group());
  datagram_.shrink(limit);
  series_.lower_limit(limit);
  return Step::later;
}

bool Flush::read_refusals(Clock::time_point now) noexcept {
  bool refused = false;
  while (const auto quote = channel_.next_refusal()) {
    const Provisional::Entry* const entry = provisional_.take(*quote);
    if (entry == nullptr) continue;  // settled long ago, or not ours
    refused = true;
    for (const ledger::Share& share : entry->shares) ledger_.take_back(share);
    --counts_.datagrams_accepted;
    counts_.bytes_accepted -= entry->size;
    ++counts_.datagrams_refused;
  }
  if (refused) {
    drain_.reset();
    note(Cause::refused, now, "no agent listens", std::make_error_code(std::errc::connection_refused));
  }
  provisional_.settle(now);
  return refused;
}

void Flush::rest(Clock::time_point now, Step step) noexcept {
  not_before_ = step == Step::unsettled ? provisional_.settled_at() : now + pause;
  probing_ = away_ && step == Step::sent;
  if (step == Step::refused || step == Step::failed) {
    away_ = step == Step::refused;
    rest_until_ = next_turn_;
  }
}

Flush::Clock::time_point Flush::next_call(Urgency urgency) const noexcept {
  const Clock::time_point due = std::min(next_turn_, next_fold_);
  Clock::time_point wanted = due;
  if (probing_) wanted = provisional_.settled_at();
  if (!ledger_.owes_nothing() && !probing_) {
    wanted = urgency == Urgency::routine ? std::max(not_before_, rest_until_) : not_before_;
  }
  if (urgency == Urgency::urgent && drain_) wanted = std::min(wanted, drain_->settled_at);
  return std::min(due, wanted);
}

// --- what is owed, as lines -------------------------------------------------------------------------------------

void Flush::compose() {
  datagram_.clear();
  shares_.clear();
  if (!compose_gauge()) return;
  // Counters go first. Where they alone fill a datagram, the next one begins with durations, or these would never
  // leave.
  const bool durations_first = std::exchange(crowded_, false);
  if (!durations_first && !compose_counters()) {
    crowded_ = true;
    return;
  }
  if (compose_timings() && durations_first) (void)compose_counters();
}

bool Flush::compose_counters() {
  while (const auto series = ledger_.next_owing_counters(counter_series_)) {
    if (!compose_counters_of(*series)) return false;
    counter_series_ = *series + 1;
  }
  return true;
}

bool Flush::compose_timings() {
  while (find_timing()) {
    if (!compose_timing()) return false;
  }
  return true;
}

bool Flush::compose_gauge() {
  const std::optional<std::int64_t> value = ledger_.owed_gauge();
  if (!value) return true;
  const std::array lines{
      wire::Line{series_.keys().active_tasks, wire::Kind::gauge, *value, 1, series_.common_suffix()}};
  const std::array shares{ledger::Share{0, ledger::gauge_entry, 1}};
  return add(lines, shares);
}

// The first time all three, zeros included: a rate misses the first increment of a series that was never zero.
bool Flush::compose_counters_of(std::uint32_t series) {
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

bool Flush::compose_timing() {
  const std::uint32_t cell = pass_[pass_at_];
  const std::uint64_t weight = wire::next_weight(ledger_.owed(timing_series_, cell), setup_.rules.timing_weight_max);
  const std::array lines{wire::Line{series_.keys().duration, series_.keys().duration_kind, record::value_of(cell),
                                    weight, series_.suffix(timing_series_)}};
  const std::array shares{ledger::Share{timing_series_, cell, weight}};
  if (!add(lines, shares)) return false;
  ++pass_at_;
  return true;
}

bool Flush::find_timing() {
  for (;;) {
    for (; pass_at_ < pass_.size(); ++pass_at_) {
      if (ledger_.owed(timing_series_, pass_[pass_at_]) != 0) return true;
    }
    const auto series = ledger_.next_owing_timings(timing_series_);
    if (!series) return false;
    timing_series_ = *series;
    pass_at_ = 0;
    ledger_.owed_cells(timing_series_, pass_);
    // Telegraf's percentiles come from the first samples of an interval: in order they would be the smallest ones.
    if (setup_.rules.shuffle_timings) std::shuffle(pass_.begin(), pass_.end(), std::minstd_rand{turns_});
  }
}

bool Flush::add(std::span<const wire::Line> lines, std::span<const ledger::Share> shares) {
  if (!datagram_.add(lines)) return false;
  for (const ledger::Share& share : shares) {
    shares_.push_back(share);
    ledger_.commit(share);  // until undo(): what is composed twice must not be owed twice
  }
  return true;
}

void Flush::undo() noexcept {
  for (const ledger::Share& share : shares_) ledger_.take_back(share);
}

// --- what is told -----------------------------------------------------------------------------------------------

void Flush::note(Cause cause, Clock::time_point now, std::string_view what, std::error_code error) noexcept {
  if (!report_.due(cause, now)) return;
  try {
    std::string message = channel_.address().text + ": " + std::string{what};
    if (error) message += " (" + error.message() + "), " + owed_text() + " are kept";
    report_.note(std::move(message));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): without memory the counts in stats() tell it
  }
}

std::string Flush::owed_text() const {
  const statsd::Stats now = stats();
  return std::to_string(now.owed) + " deliveries and " + std::to_string(now.timings_owed) + " durations";
}

void Flush::out_of_memory(Clock::time_point now) noexcept {
  note(Cause::no_memory, now, "a flush found no memory and is tried again");
}

void Flush::left_behind(Clock::time_point now) noexcept {
  try {
    note(Cause::left_behind, now, owed_text() + " could not be sent before the end");
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as in note()
  }
}

statsd::Stats Flush::stats() const noexcept {
  const ledger::Totals& totals = ledger_.totals();
  statsd::Stats stats = counts_;
  stats.recorded = totals.recorded;
  stats.accepted = totals.accepted;
  stats.owed = totals.recorded - totals.accepted;
  stats.timings_recorded = totals.timings_recorded;
  stats.timings_accepted = totals.timings_accepted;
  stats.timings_owed = totals.timings_recorded - totals.timings_accepted;
  stats.endpoints = ledger_.endpoint_count() - record::first_endpoint;
  stats.memory_bytes = recorder_.memory_bytes() + fixed_bytes_ + ledger_.memory_bytes();
  return stats;
}

}  // namespace event_metrics::inline v0
