// unit/recording.hpp - a recorder and the deliveries that are counted in it, driven as one.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "delivery/deliveries.hpp"
#include "ledger/ledger.hpp"
#include "record/recorder.hpp"

namespace event_metrics {

class Recording : public delivery::Deliveries {
 public:
  struct Limits {
    std::uint32_t max_endpoints;
    bool by_endpoint;
    std::size_t memory_bytes;

    Deliveries::Limits with_ledger() const {
      return {.max_endpoints = max_endpoints,
              .by_endpoint = by_endpoint,
              .memory = {.bytes = memory_bytes, .reader_share = ledger::bytes_per_recorded}};
    }
  };

  explicit Recording(
      const Limits& limits, record::Recorder::Reborn reborn = [](bool) { return true; })
      : Deliveries{limits.with_ledger(), std::move(reborn)} {}

  /// There is a reader that has `reader_bytes`, and so there may be memory.
  void make_ready(std::size_t reader_bytes = 0) {
    recorder().budget().begin(reader_bytes);
    (void)recorder().write_ahead();
  }

  static std::size_t fixed_bytes(const Limits& limits) {
    return record::Recorder::fixed_bytes(limits.with_ledger().of_recorder());
  }
  const record::Arena& arena() { return recorder().arena(); }
  std::uint32_t taken_lines() { return recorder().taken_lines(); }
  std::size_t memory_bytes() { return recorder().memory_bytes(); }
  bool write_ahead() { return recorder().write_ahead(); }
  void drain() { recorder().drain(); }
  /// Whether the row was marked since the last time that it was asked for.
  bool take_mark(std::uint32_t row) {
    recorder().take_marks(endpoint_count(), [this](std::uint32_t each) { marked_.insert(each); });
    return marked_.erase(row) != 0;
  }
  record::Recorder::ActiveTasks active_tasks() { return recorder().active_tasks(); }
  std::uint64_t beyond_range() { return recorder().beyond_range(); }
  bool begun() { return recorder().begun(); }
  bool is_prepared() { return recorder().is_prepared(); }
  bool begin_in_child() { return recorder().begin_in_child(); }

 private:
  std::set<std::uint32_t> marked_;
};

}  // namespace event_metrics
