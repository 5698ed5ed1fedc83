#include "event_metrics/statsd_event_metrics.hpp"

#include <utility>

#include "delivery/delivery_options.hpp"
#include "delivery/statsd_deliveries.hpp"

namespace event_metrics::inline v0 {
namespace delivery {
namespace {

Deliveries::Limits limits(const Client::Setup& setup) {
  const Deliveries::Limits limits{
      .max_endpoints = setup.max_endpoints, .by_endpoint = setup.by_endpoint, .memory = Client::memory(setup)};
  Client::check_memory(setup, limits.of_recorder());
  return limits;
}

}  // namespace

StatsdDeliveries::StatsdDeliveries(Client::Setup setup)
    : Deliveries{limits(setup), [this](bool first) { return client_.begin_in_child(first); }},
      client_{std::move(setup), recorder(), labels_} {}

}  // namespace delivery

class StatsdEventMetrics::Impl final : public delivery::StatsdDeliveries {
 public:
  using StatsdDeliveries::StatsdDeliveries;
};

StatsdEventMetrics::StatsdEventMetrics(statsd::Options options, DeliveryOptions delivery)
    : impl_{std::make_unique<Impl>(client_setup(std::move(options), delivery))} {}

StatsdEventMetrics::~StatsdEventMetrics() = default;

void StatsdEventMetrics::record_delivery_success(std::string_view endpoint_url,
                                                 std::chrono::nanoseconds duration) noexcept {
  impl_->success(endpoint_url, duration);
}

// The status is for backends that tell failures apart; on the wire a failure is a failure.
void StatsdEventMetrics::record_delivery_failure(std::string_view endpoint_url, int) noexcept {
  impl_->failed(endpoint_url);
}

void StatsdEventMetrics::record_delivery_error(std::string_view endpoint_url) noexcept { impl_->failed(endpoint_url); }

void StatsdEventMetrics::increment_active_tasks() noexcept { impl_->active_task(1); }
void StatsdEventMetrics::decrement_active_tasks() noexcept { impl_->active_task(-1); }

bool StatsdEventMetrics::flush(std::chrono::milliseconds timeout) noexcept { return impl_->flush(timeout); }
std::chrono::steady_clock::time_point StatsdEventMetrics::poll() noexcept { return impl_->poll(); }
statsd::Stats StatsdEventMetrics::stats() const noexcept { return impl_->stats(); }

}  // namespace event_metrics::inline v0
