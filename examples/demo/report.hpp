// demo/report.hpp - what the demo prints at its end: what was recorded beside what was received.

#pragma once

#include <string>  // the report

#include "demo/counts.hpp"

namespace demo {

/// True when the receiver refused nothing and says of every endpoint what was recorded; of all endpoints together, if
/// its agent has no tags. Active tasks must have ended.
bool agree(const Counts& recorded, const Counts& received);

/// A table with a row for each endpoint, and a picture of the latencies. In each cell `recorded = received`, or `!=`;
/// a single number where nothing can be compared.
std::string report(const Counts& recorded, const std::optional<Counts>& received);

}  // namespace demo
