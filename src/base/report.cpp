#include "base/report.hpp"

#include <exception>
#include <string>
#include <utility>

namespace event_metrics::inline v0 {

std::string owed_text(const statsd::Stats& stats) {
  return std::to_string(stats.owed) + " deliveries and " + std::to_string(stats.timings_owed) + " durations";
}

bool Report::due(Cause cause, Clock::time_point now) noexcept {
  Clock::time_point& quiet_until = quiet_until_[static_cast<std::size_t>(cause)];
  if (now < quiet_until) return false;
  quiet_until = now + pause;
  return true;
}

void Report::note(std::string message) noexcept {
  try {
    messages_.push_back(std::move(message));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): documented
  }
}

std::vector<std::string> Report::take() noexcept { return std::exchange(messages_, {}); }

}  // namespace event_metrics::inline v0
