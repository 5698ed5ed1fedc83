#include "client/packer.hpp"

#include <array>
#include <optional>
#include <utility>

#include "client/client_telemetry.hpp"

namespace event_metrics::inline v0 {

// No line of a delivery is shorter than 16 bytes. A merged one may stand for several cells.
std::size_t Packer::most_shares(std::size_t limit) noexcept { return limit / 4; }

std::size_t Packer::bytes(std::size_t limit) noexcept {
  return limit + most_shares(limit) * sizeof(ledger::Share) + TimingLines::bytes(most_shares(limit));
}

Packer::Packer(const wire::AgentRules& rules, std::size_t limit, const DeliverySeries& series,
               const std::string& telemetry_suffix, ledger::Ledger& ledger)
    : series_{series},
      telemetry_suffix_{telemetry_suffix},
      ledger_{ledger},
      datagram_{rules, limit},
      timings_{rules, series, ledger, most_shares(limit)} {
  shares_.reserve(most_shares(limit));
  group_.reserve(series.schema().counters.size());
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
  if (!add_gauge() || !add_telemetry()) return;
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
  const std::array lines{wire::Line{series_.schema().level, wire::Kind::gauge, *value, 1, series_.common_suffix()}};
  const std::array shares{ledger::Share{0, ledger::gauge_item, 1}};
  return add(lines, shares);
}

bool Packer::add_telemetry() {
  for (; next_telemetry_ < ledger::telemetry_count; ++next_telemetry_) {
    const std::uint64_t owed = ledger_.owed_telemetry(next_telemetry_);
    const std::array lines{wire::Line{telemetry_keys[next_telemetry_], wire::Kind::counter,
                                      static_cast<std::int64_t>(owed), 1, telemetry_suffix_}};
    const std::array shares{ledger::Share{next_telemetry_, ledger::telemetry_item, owed}};
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

// The first time all of them, zeros included: a rate misses the first increment of a series that was never zero.
bool Packer::add_counters_of(std::uint32_t series) {
  const ledger::Counts owed = ledger_.owed_counts(series);
  group_.clear();
  for (const Schema::Counter& each : series_.schema().counters) {
    const std::uint64_t observed = each.counts != Schema::Counts::tallied ? owed.observed : 0;
    const std::uint64_t tallied = each.counts != Schema::Counts::observed ? owed.tallied : 0;
    const auto value = static_cast<std::int64_t>(observed + tallied);
    if (value == 0 && owed.announced) continue;
    group_.push_back({each.key, wire::Kind::counter, value, 1, series_.suffix(series)});
  }
  const std::array shares{ledger::Share{series, ledger::observed_item, owed.observed},
                          ledger::Share{series, ledger::tallied_item, owed.tallied},
                          ledger::Share{series, ledger::announced_item, 1}};
  return add(group_, {shares.data(), owed.announced ? 2U : 3U});
}

bool Packer::add_timings() {
  while (const auto line = timings_.next(shares_.capacity() - shares_.size())) {
    if (!add({&*line, 1}, timings_.shares())) return false;
    timings_.told();
  }
  return true;
}

}  // namespace event_metrics::inline v0
