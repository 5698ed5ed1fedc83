// ledger/share.hpp - what a datagram carries, as the ledger books it.

#pragma once

#include <cstdint>

#include "record/cells.hpp"

namespace event_metrics::inline v0::ledger {

// Items of a series beside the cells of its timing.
inline constexpr std::uint32_t tallied_item = record::cell_count;
inline constexpr std::uint32_t observed_item = tallied_item + 1;   ///< how many there are of its timing
inline constexpr std::uint32_t announced_item = tallied_item + 2;  ///< that all its counters were sent once
inline constexpr std::uint32_t gauge_item = tallied_item + 3;      ///< the one gauge; its series is not looked at
inline constexpr std::uint32_t left_out_item = tallied_item + 4;   ///< of the timings beside it, those that it drops
inline constexpr std::uint32_t telemetry_item = tallied_item + 5;  ///< the client's own counters, by series
inline constexpr std::uint32_t telemetry_count = 4;

/// What one datagram carries of one item.
struct Share {
  std::uint32_t series;
  std::uint32_t item;
  std::uint64_t count;
};

}  // namespace event_metrics::inline v0::ledger
