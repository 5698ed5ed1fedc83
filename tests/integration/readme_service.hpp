// What stands in the README below "Business code takes the interface": compiled here, compared in readme_test.cpp.

#pragma once

#include <string>

#include "event_metrics/event_metrics.hpp"

namespace readme {

struct Endpoint {
  std::string url;
};
inline int post(const Endpoint&) { return 200; }

inline
    // clang-format off
void deliver(event_metrics::EventMetrics& metrics, const Endpoint& endpoint) {
  const event_metrics::ActiveTask task{metrics};                  // one active task more, until the end of the scope
  event_metrics::DeliveryAttempt attempt{metrics, endpoint.url};  // an exception from here on counts as an error
  const int status = post(endpoint);
  if (status < 300) {
    attempt.success();
  } else {
    attempt.failure(status);
  }
}
// clang-format on

}  // namespace readme
