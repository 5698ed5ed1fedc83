#include "report.hpp"

#include <poll.h>
#include <unistd.h>

#include <exception>
#include <utility>

namespace event_metrics::inline v0 {

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

void Report::tell(const std::vector<std::string>& messages,
                  const std::function<void(std::string_view)>& on_error) noexcept {
  for (const std::string& message : messages) {
    try {
      if (on_error) {
        on_error(message);
      } else {
        // One write, past stdio: its state and its locks belong to the service. Not into a pipe that nobody reads.
        const std::string line = "event-metrics: " + message + "\n";
        pollfd writable{STDERR_FILENO, POLLOUT, 0};
        if (::poll(&writable, 1, 0) == 1) (void)!::write(STDERR_FILENO, line.data(), line.size());
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch): documented
    }
  }
}

}  // namespace event_metrics::inline v0
