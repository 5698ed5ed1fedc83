// event_metrics/statsd/stats.hpp - what a StatsD client knows about itself.

#pragma once

#include <chrono>   // oldest_owed
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

#include "event_metrics/config.hpp"

namespace event_metrics::inline v0::statsd {

/// A consistent snapshot, taken when the last flush turn ended: what was recorded since is not in it yet. Call
/// flush() first for a snapshot of now. All totals count from construction (in a forked child: from its first call).
///
/// In every snapshot `recorded == accepted + owed + expired` and
/// `timings_recorded == timings_accepted + timings_owed + timings_expired + left_out`.
struct Stats {
  std::uint64_t recorded = 0;  ///< deliveries: successes, failures and errors
  std::uint64_t accepted = 0;  ///< deliveries whose counters the kernel took and the agent did not refuse
  std::uint64_t owed = 0;      ///< deliveries whose counters are still to be sent
  std::uint64_t expired = 0;   ///< deliveries that keep_for has given up

  std::uint64_t timings_recorded = 0;  ///< durations, one per success
  std::uint64_t timings_accepted = 0;
  std::uint64_t timings_owed = 0;
  std::uint64_t timings_expired = 0;
  std::uint64_t left_out = 0;  ///< durations that another one of nearly their value stood for: more were owed than can
                               ///< be sent in ten intervals, also with the weight that the agent lets a line have
  std::uint64_t coarse = 0;    ///< durations known only to the octave: their thread found no memory for a cell, or was
                               ///< in a forked child that found too little to begin with
  std::uint64_t beyond_range = 0;  ///< durations over 2^39 ms (17 years), which are sent as that

  /// Nothing that is owed was recorded longer ago; 0 when nothing is owed. Under twelve flush intervals at any load,
  /// while the agent takes what is sent; intervals under 100 ms count as that.
  std::chrono::nanoseconds oldest_owed{};

  std::uint64_t datagrams_accepted = 0;
  std::uint64_t bytes_accepted = 0;
  std::uint64_t datagrams_refused = 0;  ///< no agent listened; what they held is owed again
  std::uint64_t datagrams_delayed = 0;  ///< the agent's queue was full; they stay owed
  std::uint64_t send_errors = 0;        ///< anything else that went wrong with a datagram; it stays owed
  std::uint64_t connect_errors = 0;     ///< the address could not be resolved or connected

  std::size_t series = 0;        ///< label sets, `other` and `invalid` among them
  std::size_t endpoints = 0;     ///< hosts seen, however URLs spell them, at most max_endpoints
  std::uint64_t other = 0;       ///< deliveries counted under the label `other`
  std::size_t memory_bytes = 0;  ///< memory in use for cells, tables and ledger, at most max_memory_bytes
};

}  // namespace event_metrics::inline v0::statsd
