// demo/receiver.hpp - reads StatsD lines as the real agents do and counts what they say. It shares no code with the
// library that wrote them: otherwise both could be wrong in the same way.

#pragma once

#include <cstdint>      // weights
#include <string_view>  // datagrams

#include "demo/counts.hpp"
#include "event_metrics/statsd/options.hpp"

namespace demo {

/// What an agent makes of a line, as far as the demo's metrics go.
struct Dialect {
  bool has_tags;              ///< reads `|#key:value,key:value`
  std::uint64_t most_weight;  ///< reads a timing with the rate r as trunc(1/r) timings, at most so many; 1: no rates
  bool sets_signed_gauges;    ///< `-5` is a value; for the others it is a change
  bool speaks_prometheus = false;   ///< metrics have their Prometheus names
  bool drops_zero_timings = false;  ///< a timing of 0 ms is not counted
};

Dialect dialect_of(event_metrics::statsd::Agent agent);

class Receiver {
 public:
  explicit Receiver(event_metrics::statsd::Agent agent) : dialect_{dialect_of(agent)} {}

  /// Counts each line. One that this agent would drop or misread goes to counts().refused, with the reason.
  void read(std::string_view datagram);

  const Counts& counts() const { return counts_; }

 private:
  void count(std::string_view text);

  Dialect dialect_;
  Counts counts_;
};

}  // namespace demo
