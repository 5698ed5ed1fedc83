// unit/recorded.hpp - a recorder with memory ready, and what it has counted.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

#include "record/reading.hpp"
#include "unit/recording.hpp"

namespace event_metrics::record {

using delivery::first_endpoint;
using delivery::invalid_endpoint;
using delivery::other_endpoint;

inline constexpr Recording::Limits usual{4, true, 4U << 20U};
inline constexpr std::uint32_t example = first_endpoint;  // the first endpoint that a test names
inline constexpr std::string_view url = "https://example.com/secret";

/// A recorder with memory ready, as an engine keeps it.
struct Ready {
  explicit Ready(const Recording::Limits& limits = usual)
      : recorder{limits, [this](bool) { return ++reborn >= enough; }} {
    recorder.make_ready();
  }
  int reborn = 0;  // before the recorder, whose constructor must not call
  int enough = 1;  // tries
  Recording recorder;
};

inline std::uint64_t failed(Recording& recorder, std::uint32_t endpoint = example) {
  recorder.drain();
  Reading reading;
  reading.add(recorder.arena(), endpoint);
  return reading.tally();
}

/// What was counted in each cell of an endpoint.
using Cells = std::map<unsigned, std::uint64_t>;

inline Cells cells(Recording& recorder, std::uint32_t endpoint = example) {
  recorder.drain();
  Cells cells;
  Reading reading;
  reading.add(recorder.arena(), endpoint);
  Reading::Sums sums{};
  for (unsigned chunk = 0; chunk < chunk_count; ++chunk) {
    if (!reading.chunk(chunk, sums)) continue;
    for (unsigned cell = 0; cell < cells_per_chunk; ++cell) {
      if (sums[cell] != 0) cells[chunk * cells_per_chunk + cell] = sums[cell];
    }
  }
  return cells;
}

struct Successes {
  std::uint64_t fine = 0;
  std::uint64_t coarse = 0;
};

inline Successes successes(Recording& recorder, std::uint32_t endpoint = example) {
  Successes sum;
  for (const auto& [cell, count] : cells(recorder, endpoint)) (cell < fine_cells ? sum.fine : sum.coarse) += count;
  return sum;
}

}  // namespace event_metrics::record
