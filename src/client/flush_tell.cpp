// What a flush says of itself: figures, messages, and the client's own counters.

#include <exception>
#include <string>
#include <utility>

#include "client/client_telemetry.hpp"
#include "client/flush.hpp"

namespace event_metrics::inline v0 {

void Flush::tell_telemetry(Clock::time_point now) {
  if (setup_.telemetry_suffix.empty() || now < next_telemetry_) return;
  next_telemetry_ = now + telemetry_interval;
  const ledger::Totals& totals = ledger_.totals();
  ledger_.record_telemetry(0, 2 * totals.recorded + totals.timings_recorded);
  ledger_.record_telemetry(1, counts_.datagrams_accepted);
  ledger_.record_telemetry(2, counts_.bytes_accepted);
  ledger_.record_telemetry(3, 2 * totals.expired + totals.timings_expired + totals.left_out);
  packer_.tell_telemetry();
}

void Flush::tell_limits(Clock::time_point now) noexcept {
  const bool more_coarse = std::exchange(counts_.coarse, ledger_.totals().coarse) < ledger_.totals().coarse;
  if (const int late = std::exchange(late_, 0)) {
    note(Cause::late, now, "a forked child could not begin at once: durations of until then are kept by octave only",
         {late, std::generic_category()});
  } else if (more_coarse) {
    note(Cause::coarse, now, "durations are kept by octave only: raise max_memory_bytes");
  }
  if (setup_.by_endpoint && ledger_.recorded(DeliverySeries::other) > counts_.other) {
    counts_.other = ledger_.recorded(DeliverySeries::other);
    note(Cause::other, now, "deliveries are counted under endpoint:other: raise max_endpoints");
  }
}

void Flush::tell_no_refusals(Clock::time_point now) noexcept {
  if (channel_.tells_refusals() || !is_udp() || std::exchange(told_no_refusals_, true)) return;
  note(Cause::no_refusals, now, "the kernel has no IP_RECVERR: what is sent while no agent listens may be lost");
}

void Flush::note(Cause cause, Clock::time_point now, std::string_view what, std::error_code error) noexcept {
  if (!report_.due(cause, now)) return;
  try {
    std::string message = channel_.address().text + ": " + std::string{what};
    if (error) message += " (" + error.message() + "), " + owed_text(stats()) + " are kept";
    report_.note(std::move(message));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): without memory the counts in stats() tell it
  }
}

void Flush::out_of_memory(Clock::time_point now) noexcept {
  note(Cause::no_memory, now, "a flush found no memory and is tried again");
}

void Flush::left_behind(Clock::time_point now) noexcept {
  try {
    note(Cause::left_behind, now, owed_text(stats()) + " could not be sent before the end");
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as in note()
  }
}

statsd::Stats Flush::stats() const noexcept {
  const ledger::Totals& totals = ledger_.totals();
  statsd::Stats stats = counts_;
  stats.recorded = totals.recorded;
  stats.accepted = totals.accepted;
  stats.expired = totals.expired;
  stats.owed = totals.recorded - totals.accepted - totals.expired;
  stats.timings_recorded = totals.timings_recorded;
  stats.timings_accepted = totals.timings_accepted;
  stats.timings_expired = totals.timings_expired;
  stats.left_out = totals.left_out;
  stats.timings_owed = totals.timings_owed();
  if (stats.owed + stats.timings_owed > 0) stats.oldest_owed = settling_.age(seen_at_);
  stats.beyond_range = recorder_.beyond_range();
  stats.series = ledger_.series_count();
  stats.endpoints = ledger_.row_count() - RowLabels::first_labelled;
  stats.memory_bytes = recorder_.memory_bytes() + fixed_bytes_ + ledger_.memory_bytes();
  return stats;
}

}  // namespace event_metrics::inline v0
