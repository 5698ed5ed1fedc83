// demo/counts.hpp - what the demo recorded, or what the receiver counted. Equal in the end, or the demo fails.

#pragma once

#include <cstdint>      // counts
#include <map>          // by endpoint, by latency
#include <optional>     // a gauge that may not have come
#include <string>       // labels
#include <string_view>  // text
#include <vector>       // refused lines

namespace demo {

/// Whole milliseconds -> how many deliveries took that long.
using Latencies = std::map<std::uint64_t, std::uint64_t>;

struct EndpointCounts {
  std::uint64_t attempts = 0;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  Latencies latencies{};  ///< of the successes

  friend bool operator==(const EndpointCounts&, const EndpointCounts&) = default;
};

struct Counts {
  std::map<std::string, EndpointCounts> endpoints{};  ///< by label; "" where the agent has no tags
  std::optional<std::int64_t> active_tasks{};         ///< the last value
  std::vector<std::string> refused{};                 ///< lines that a receiver could not read, each with the reason

  friend bool operator==(const Counts&, const Counts&) = default;
};

/// All endpoints together.
EndpointCounts total(const Counts& counts);

/// The smallest latency that `percent` of all deliveries don't exceed (nearest rank); nothing if there are none.
std::optional<std::uint64_t> percentile(const Latencies& latencies, unsigned percent);

/// How the receiver's process answers: one fact a line, the last line "end".
std::string to_text(const Counts& counts);

/// Throws std::runtime_error for any other text, and when "end" is missing because the process died.
Counts counts_from_text(std::string_view text);

}  // namespace demo
