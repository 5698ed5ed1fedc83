// demo/publisher.hpp - delivers events to webhooks and records each delivery. It knows EventMetrics, and no backend.

#pragma once

#include <chrono>       // the timeout
#include <cstdint>      // ports
#include <functional>   // the answer handler
#include <span>         // the subscribers of an event
#include <string>       // URLs
#include <string_view>  // events

#include "event_metrics/event_metrics.hpp"

namespace demo {

/// A webhook. Its host name leads to `port` on this machine: the demo needs no DNS, and its labels read like real ones.
struct Endpoint {
  std::string url;
  std::uint16_t port = 0;
};

struct Url {
  std::string host;
  std::string target;
};

/// "http://hooks.example/T0?x" is "hooks.example" and "/T0?x".
Url split_url(std::string_view url);

/// Thread safety: publish() may be called from any thread at any time.
class Publisher {
 public:
  /// Sees the status of an answer before the delivery is recorded. What it throws makes the delivery an error.
  using AnswerHandler = std::function<void(const Endpoint&, int status)>;

  /// `metrics` must outlive the publisher.
  Publisher(event_metrics::EventMetrics& metrics, std::chrono::milliseconds timeout, AnswerHandler on_answer = {});

  /// One background task: posts the event to each endpoint, one after the other. No endpoint's trouble keeps the event
  /// from the next one, and none reaches the caller.
  void publish(std::string_view event, std::span<const Endpoint> endpoints);

 private:
  void deliver(std::string_view event, const Endpoint& endpoint);

  event_metrics::EventMetrics& metrics_;
  std::chrono::milliseconds timeout_;
  AnswerHandler on_answer_;
};

}  // namespace demo
