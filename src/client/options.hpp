// client/options.hpp - what a client is made with, checked before anything else sees it.

#pragma once

#include <cstddef>

#include "event_metrics/statsd/options.hpp"

namespace event_metrics::inline v0::statsd {

/// Throws std::invalid_argument with one sentence that names the first wrong field, its value unless it may hold a
/// secret, and what to write instead. Left to those who know them: whether one line fits a datagram, and the fixed part
/// of the memory.
void check(const Options& options);

/// The largest datagram that checked options allow.
std::size_t datagram_limit(const Options& options);

}  // namespace event_metrics::inline v0::statsd
