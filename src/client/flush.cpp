#include "client/flush.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "client/client_telemetry.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr std::size_t most_quoted = 1184;

// Only UDP takes back what it accepted.
std::size_t quoted_bytes(const Flush::Setup& setup) noexcept {
  return setup.address.kind == transport::Address::Kind::udp ? most_quoted : 0;
}
std::size_t kept_shares(const Flush::Setup& setup) noexcept {
  return quoted_bytes(setup) > 0 ? Packer::most_shares(setup.datagram_limit) : 0;
}

}  // namespace

Flush::Flush(Setup setup, DeliverySeries series, record::Recorder& recorder, const RowLabels& labels)
    : setup_{std::move(setup)},
      fixed_bytes_{fixed_bytes(setup_)},
      series_{std::move(series)},
      recorder_{recorder},
      labels_{labels},
      ledger_{recorder.budget(), setup_.rows},
      channel_{setup_.address},
      packer_{setup_.rules, setup_.datagram_limit, series_, setup_.telemetry_suffix, ledger_},
      provisional_{quoted_bytes(setup_), kept_shares(setup_)},
      retry_{is_udp()},
      seen_at_{Clock::now()},
      settling_{seen_at_, setup_.interval, setup_.keep_for},
      next_turn_{seen_at_ + setup_.phase},
      next_fold_{next_turn_},
      next_telemetry_{next_turn_ + telemetry_interval} {
  for (std::uint32_t opened = 0; opened < series_.size(); ++opened) (void)ledger_.add_series();
  ledger_.attach_row(DeliverySeries::other);
  ledger_.attach_row(setup_.by_endpoint ? DeliverySeries::invalid : DeliverySeries::other);
}

std::size_t Flush::fixed_bytes(const Setup& setup) noexcept {
  const std::size_t datagrams =
      Packer::bytes(setup.datagram_limit) + Provisional::bytes(quoted_bytes(setup), kept_shares(setup));
  return ledger::Ledger::fixed_bytes(setup.rows) + DeliverySeries::most_bytes(setup.rows, setup.longest_suffix) +
         datagrams;
}

Flush::Clock::time_point Flush::tend(Clock::time_point now) noexcept { return recorder_.tend(now); }

bool Flush::begin_turn(Clock::time_point now) {
  const bool complete = fold(now);
  expire(now);
  packer_.begin_turn(turn_bytes(), turns_left(now));
  tell_telemetry(now);
  look_at_socket(now);
  owe_active_tasks();
  return complete;
}

void Flush::owe_active_tasks() noexcept {
  const record::Recorder::ActiveTasks tasks = recorder_.active_tasks();
  if (!setup_.in_child || tasks.touched) ledger_.owe_gauge(tasks_ended_ ? 0 : tasks.count);
}

void Flush::end_active_tasks() noexcept {
  tasks_ended_ = true;
  owe_active_tasks();
}

bool Flush::attach_rows() noexcept {
  try {
    while (ledger_.row_count() < labels_.row_count()) {
      const std::uint32_t series = series_.find_or_add(labels_.label(ledger_.row_count()));
      if (series == ledger_.series_count()) (void)ledger_.add_series();
      ledger_.attach_row(series);
    }
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool Flush::fold(Clock::time_point now) {
  settling_.fold(now, ledger_.round_is_over());
  next_fold_ = now + longest_unfolded;
  const bool attached = attach_rows();
  const bool complete = ledger_.fold(recorder_, attached);
  if (!complete) out_of_memory(now);
  tell_limits(now);
  return complete;
}

void Flush::expire(Clock::time_point now) {
  if (ledger_.round_is_over() || !settling_.round_has_lasted(now)) return;
  ledger_.expire();
  settling_.give_up_round();
  next_round();
  note(Cause::expired, now, "what is older than keep_for has been given up");
}

void Flush::next_round() noexcept {
  ledger_.begin_round();
  settling_.begin_round();
}

std::uint64_t Flush::turns_left(Clock::time_point now) const noexcept {
  const Clock::duration turn = std::max<Clock::duration>(setup_.interval, pause);
  const auto left = (settling_.time_left(now) + turn / 2) / turn;
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(left, 1, Packer::most_turns));
}

void Flush::look_at_socket(Clock::time_point now) noexcept {
  if (channel_.is_open() && (retry_.outlived(now) || channel_.moved())) retry_.renew();
}

std::uint64_t Flush::turn_bytes() const noexcept {
  const auto bursts = static_cast<std::uint64_t>(std::max<std::int64_t>(setup_.interval / pause, 1));
  return bursts * std::min(burst_bytes, burst_datagrams * packer_.limit());
}

Flush::Outcome Flush::burst(Clock::time_point now, Urgency urgency) {
  seen_at_ = now;
  const bool held = urgency == Urgency::urgent && !retry_.away();
  if (now >= next_turn_ && !held) {
    next_turn_ += setup_.interval;  // keeps its phase, unless it is a whole turn late
    if (next_turn_ <= now) next_turn_ = now + setup_.interval;
    (void)begin_turn(now);
  } else {
    if (now >= next_fold_) (void)fold(now);
    if (held) expire(now);
  }
  if (channel_.lost()) provisional_.forget();
  if (read_refusals(now)) rest(now, Step::refused);
  retry_.look_at_probe(now, provisional_.settled_at());
  if (ledger_.round_is_over() && !retry_.probing()) next_round();
  if (channel_.refresh(now)) retry_.renew();
  if (may_send(now, urgency)) send_burst(now);
  if (retry_.held_up(now, channel_.is_open(), setup_.interval)) settling_.held_up(now);
  settling_.end_burst(now, what_left(), provisional_.settled_at());
  return {next_call(urgency), settling_.accepted_until()};
}

Settling::Left Flush::what_left() const noexcept {
  if (!ledger_.round_is_over() || ledger_.owed_gauge()) return Settling::Left::part;
  return ledger_.owes_nothing() ? Settling::Left::all : Settling::Left::round;
}

bool Flush::may_send(Clock::time_point now, Urgency urgency) {
  if (ledger_.owes_nothing()) return false;
  const Retry::Permission permission = retry_.may_send(now, urgency, provisional_.settled_at());
  if (permission == Retry::Permission::wait) return false;
  if (permission == Retry::Permission::send_anew) {
    channel_.close();
    provisional_.forget();
  }
  return channel_.is_open() || open(now);
}

bool Flush::open(Clock::time_point now) {
  const std::error_code error = channel_.open();
  if (!error) {
    retry_.opened(now);
    tell_no_refusals(now);
    return true;
  }
  if (error == std::errc::operation_in_progress) {  // its name has not been looked up yet
    rest(now, Step::later);
    return false;
  }
  ++counts_.connect_errors;
  note(Cause::unreachable, now, "no connection", error);
  rest(now, transport::nobody_listens(error) ? Step::refused : Step::failed);
  return false;
}

void Flush::send_burst(Clock::time_point now) {
  const int most = retry_.away() ? 1 : burst_datagrams;
  std::size_t bytes = 0;
  Step step = Step::sent;
  for (int sent = 0; sent < most && bytes < burst_bytes; ++sent) {
    step = send_one(now);
    if (step != Step::sent) break;
    bytes += packer_.bytes().size();
  }
  rest(now, step);
}

Flush::Step Flush::send_one(Clock::time_point now) {
  if (!packer_.fill()) return Step::nothing;
  if (channel_.tells_refusals() &&
      (provisional_.full(now) || provisional_.ambiguous(packer_.bytes(), channel_.quoted_bytes(), now))) {
    packer_.undo();
    return Step::unsettled;
  }
  const transport::Verdict verdict = channel_.send(packer_.bytes());
  if (verdict == transport::Verdict::accepted) return keep_accepted(now);
  packer_.undo();
  return not_taken(now, verdict);
}

Flush::Step Flush::keep_accepted(Clock::time_point now) {
  retry_.accepted();
  ++counts_.datagrams_accepted;
  counts_.bytes_accepted += packer_.bytes().size();
  if (!channel_.tells_refusals()) return Step::sent;
  provisional_.keep(packer_.bytes(), channel_.quoted_bytes(), packer_.shares(), Clock::now());
  return read_refusals(now) ? Step::refused : Step::sent;
}

Flush::Step Flush::not_taken(Clock::time_point now, transport::Verdict verdict) {
  switch (verdict) {
    case transport::Verdict::later:
      return delayed(now);
    case transport::Verdict::refused:
      if (!channel_.tells_refusals()) ++counts_.datagrams_refused;  // elsewhere the error queue names them
      (void)read_refusals(now);
      return Step::refused;
    case transport::Verdict::too_big:
      if (packer_.limit() > series_.longest_group()) return shrink();
      [[fallthrough]];
    default:
      ++counts_.send_errors;
      note(Cause::send_error, now, "sending failed", channel_.error());
      (void)read_refusals(now);
      return Step::failed;
  }
}

Flush::Step Flush::delayed(Clock::time_point now) noexcept {
  ++counts_.datagrams_delayed;
  note(Cause::delayed, now, "the agent reads too slowly", channel_.error());
  retry_.full(now);
  return Step::later;
}

Flush::Step Flush::shrink() noexcept {
  ++counts_.send_errors;
  const std::size_t limit = std::max(packer_.limit() / 2, series_.longest_group());
  packer_.shrink(limit);
  series_.lower_limit(limit);
  return Step::later;
}

bool Flush::read_refusals(Clock::time_point now) noexcept {
  bool refused = false;
  while (const auto quote = channel_.next_refusal()) {
    const Provisional::Sent* const sent = provisional_.take(*quote, now);
    if (sent == nullptr) continue;  // sent long ago, or not ours
    refused = true;
    if (quote->size() < sent->quote.size()) channel_.quotes_less(quote->size());
    for (const ledger::Share& share : sent->shares) ledger_.take_back(share);
    --counts_.datagrams_accepted;
    counts_.bytes_accepted -= sent->size;
    ++counts_.datagrams_refused;
  }
  if (refused) settling_.refused();
  return refused;
}

void Flush::rest(Clock::time_point now, Step step) noexcept {
  const bool open = channel_.is_open();
  const Retry::Known known{provisional_.settled_at(), next_turn_, open, open && channel_.has_next(),
                           channel_.went_on()};
  const Retry::Consequence consequence = retry_.rest(now, step, known);
  if (consequence == Retry::Consequence::go_on) channel_.go_on();
  if (consequence == Retry::Consequence::tell) note(Cause::refused, now, "no agent listens", channel_.error());
}

Flush::Clock::time_point Flush::next_call(Urgency urgency) const noexcept {
  Clock::time_point due = std::min(next_turn_, next_fold_);
  if (due <= seen_at_) due = seen_at_ + pause;  // the turn has to wait for a flush
  Clock::time_point wanted = due;
  if (retry_.probing() || !ledger_.owes_nothing()) wanted = retry_.next(urgency, provisional_.settled_at());
  if (const auto next = settling_.next(); next && urgency == Urgency::urgent) wanted = std::min(wanted, *next);
  return std::min(due, wanted);
}

}  // namespace event_metrics::inline v0
