// ledger/totals.hpp - what a ledger has booked, over all series.

#pragma once

#include <cstdint>

namespace event_metrics::inline v0::ledger {

/// `recorded = accepted + expired + owed`; of timings `recorded = accepted + left_out + expired + owed`.
struct Totals {
  std::uint64_t recorded = 0;
  std::uint64_t accepted = 0;
  std::uint64_t expired = 0;
  std::uint64_t timings_recorded = 0;
  std::uint64_t timings_accepted = 0;
  std::uint64_t timings_expired = 0;
  std::uint64_t left_out = 0;
  std::uint64_t coarse = 0;

  std::uint64_t timings_owed() const noexcept {
    return timings_recorded - timings_accepted - timings_expired - left_out;
  }
};

}  // namespace event_metrics::inline v0::ledger
