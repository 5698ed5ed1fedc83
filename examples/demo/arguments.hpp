// demo/arguments.hpp - the demo's command line.

#pragma once

#include <cstdint>      // numbers
#include <optional>     // the address
#include <span>         // argv
#include <string>       // the address
#include <string_view>  // usage

#include "event_metrics/statsd/options.hpp"

namespace demo {

struct Arguments {
  std::uint64_t deliveries = 500;
  std::uint64_t concurrency = 16;
  std::uint64_t seed = 1;
  bool show_lines = false;
  bool help = false;
  event_metrics::statsd::Agent agent = event_metrics::statsd::Agent::datadog;
  std::optional<std::string> address{};  ///< of an agent; without one the demo starts a receiver of its own
};

extern const std::string_view usage;

/// What stands behind the program's name. Throws std::invalid_argument, in one sentence.
Arguments parse_arguments(std::span<const char* const> words);

/// Throws std::invalid_argument with the known names.
event_metrics::statsd::Agent agent_named(std::string_view name);

}  // namespace demo
