// delivery/statsd_deliveries.hpp - deliveries, and the client that sends what is counted of them.

#pragma once

#include <chrono>

#include "client/client.hpp"
#include "delivery/deliveries.hpp"
#include "delivery/endpoint_labels.hpp"
#include "event_metrics/statsd/stats.hpp"

namespace event_metrics::inline v0::delivery {

/// First the deliveries: a call has their address without an addition.
class StatsdDeliveries : public Deliveries {
 public:
  /// Throws as StatsdEventMetrics.
  explicit StatsdDeliveries(Client::Setup setup);

  bool flush(std::chrono::milliseconds timeout) noexcept { return client_.flush(timeout); }
  std::chrono::steady_clock::time_point poll() noexcept { return client_.poll(); }
  statsd::Stats stats() noexcept { return client_.stats(); }

 private:
  const EndpointLabels labels_{*this};
  Client client_;
};

}  // namespace event_metrics::inline v0::delivery
