// unit/ledger_rig.hpp - a ledger with the recorder that it folds.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "ledger/ledger.hpp"
#include "unit/recording.hpp"

namespace event_metrics::ledger {

inline constexpr std::size_t memory = 8U << 20U;

/// A recorder and its ledger, one series for each endpoint, as a flush keeps them.
struct Books {
  explicit Books(std::uint32_t max_endpoints = 8)
      : recorder{{max_endpoints, true, memory}},
        ledger{recorder.recorder().budget(), max_endpoints + delivery::first_endpoint} {
    (void)recorder.write_ahead();
  }

  void fold() {
    while (ledger.row_count() < recorder.endpoint_count()) ledger.attach_row(ledger.add_series());
    (void)ledger.fold(recorder.recorder(), true);
    ledger.begin_round();
  }

  std::vector<std::uint32_t> owed_cells(std::uint32_t series) const {
    std::vector<std::uint32_t> cells;
    ledger.for_each_owing(series, [&cells](std::uint32_t cell, std::uint64_t) { cells.push_back(cell); });
    return cells;
  }

  Recording recorder;
  Ledger ledger;
};

inline constexpr std::string_view url = "https://a/secret";
inline constexpr std::uint32_t a = 2;  // its series, when it is the first that a test names

constexpr Share successes(std::uint64_t count) { return {a, observed_item, count}; }
constexpr Share failures(std::uint64_t count) { return {a, tallied_item, count}; }
inline constexpr Share announced{a, announced_item, 1};

}  // namespace event_metrics::ledger
