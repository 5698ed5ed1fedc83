// client/schema.hpp - which lines come of the rows of a series, and what these lines are called.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/datagram.hpp"

namespace event_metrics::inline v0 {

/// All keys have their prefix. The counters of a series leave in one datagram, and the first time all of them, zeros
/// included.
struct Schema {
  /// A row has a tally, and what it observed has a value each.
  enum class Counts : std::uint8_t { observed, tallied, both };
  struct Counter {
    std::string key;
    Counts counts;
  };

  std::vector<Counter> counters;
  std::string observed;      ///< the key of the values
  wire::Kind observed_kind;  ///< of the values: timing or distribution
  std::string level;         ///< the key of the client's one gauge
};

}  // namespace event_metrics::inline v0
