// base/report.hpp - what is to be told of what goes wrong after construction, at most once a minute for each cause.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "event_metrics/statsd/stats.hpp"

namespace event_metrics::inline v0 {

enum class Cause : std::uint8_t {
  unreachable,  ///< the address cannot be resolved or connected
  refused,      ///< no agent listens
  no_refusals,  ///< the kernel would not say so
  delayed,      ///< the agent does not read fast enough
  send_error,   ///< the socket failed
  coarse,       ///< durations are kept by octave for want of memory
  expired,      ///< keep_for has passed
  other,        ///< more endpoints than have labels of their own
  no_memory,    ///< a flush could not go on
  late,         ///< a forked child found too little to begin with
  left_behind,  ///< destruction ran out of time
};
inline constexpr std::size_t cause_count = 11;

/// What messages say is kept or lost.
std::string owed_text(const statsd::Stats& stats);

/// Collects messages where locks are held, for a Listener to be told where none is. Used by one thread at a time.
class Report {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes pause{1};

  /// Whether a message for this cause is due; if so it counts as told now, and note() is to follow.
  bool due(Cause cause, Clock::time_point now) noexcept;

  /// Keeps a message for take(). Without memory for it, it is lost.
  void note(std::string message) noexcept;

  std::vector<std::string> take() noexcept;

 private:
  std::array<Clock::time_point, cause_count> quiet_until_{};
  std::vector<std::string> messages_;
};

}  // namespace event_metrics::inline v0
