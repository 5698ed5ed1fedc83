// ledger/share.hpp - what a datagram carries, as the ledger books it.

#pragma once

#include <cstdint>

#include "record/cells.hpp"

namespace event_metrics::inline v0::ledger {

// Items of a series beside the cells of its timing, and record::failed_cell.
inline constexpr std::uint32_t success_item = record::failed_cell + 1;
inline constexpr std::uint32_t announced_item = success_item + 1;  ///< that all its counters were sent once
inline constexpr std::uint32_t gauge_item = success_item + 2;      ///< the one gauge; its series is not looked at
inline constexpr std::uint32_t left_out_item = success_item + 3;   ///< of the timings beside it, those that it drops
inline constexpr std::uint32_t telemetry_item = success_item + 4;  ///< the client's own counters, by series
inline constexpr std::uint32_t telemetry_count = 4;

/// What one datagram carries of one item.
struct Share {
  std::uint32_t series;
  std::uint32_t item;
  std::uint64_t count;
};

}  // namespace event_metrics::inline v0::ledger
