#include "event_metrics/prometheus_event_metrics.hpp"

#include <mutex>
#include <utility>

#include "base/listener.hpp"
#include "base/no_cancellation.hpp"
#include "base/own_thread.hpp"
#include "base/refuse.hpp"
#include "client/per_process.hpp"
#include "delivery/deliveries.hpp"
#include "delivery/endpoints.hpp"
#include "prometheus/families.hpp"
#include "prometheus/updater.hpp"
#include "record/registry.hpp"

namespace event_metrics::inline v0 {
namespace {

PrometheusOptions checked(PrometheusOptions options) {
  check_endpoints("PrometheusOptions", options.endpoint_label, options.max_endpoints);
  return options;
}

std::shared_ptr<prometheus::Registry> checked(std::shared_ptr<prometheus::Registry> registry) {
  if (!registry) refuse("registry", "is nullptr", "write std::make_shared<prometheus::Registry>()");
  return registry;
}

std::unique_ptr<PrometheusFamilies> new_families(prometheus::Registry& registry) {
  const std::lock_guard no_fork{record::Registry::instance().mutex()};
  return std::make_unique<PrometheusFamilies>(registry);
}

}  // namespace

class PrometheusEventMetrics::Impl {
 public:
  Impl(std::shared_ptr<prometheus::Registry> registry, PrometheusOptions options)
      : options_{checked(std::move(options))},
        registry_{checked(std::move(registry))},
        families_{new_families(*registry_)},
        deliveries_{PrometheusUpdater::limits(options_), [this](bool first) { return updater_.begin_in_child(first); }},
        updater_{deliveries_.recorder(), [this](bool in_child) { return new_updater(in_child); }, true} {}

  ~Impl() {
    const NoCancellation meanwhile;
    updater_.end();  // before the families that it writes to
    const std::lock_guard no_fork{record::Registry::instance().mutex()};
    if (deliveries_.recorder().is_prepared()) {
      families_.reset();
    } else {  // a forked child that never used this: all is its parent's
      abandon(families_.release());
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  delivery::Deliveries& deliveries() noexcept { return deliveries_; }

  void update() noexcept {
    const NoCancellation meanwhile;
    if (PrometheusUpdater* const updater = updater_.here()) updater->update();
  }

 private:
  std::unique_ptr<PrometheusUpdater> new_updater(bool in_child) {
    auto updater =
        std::make_unique<PrometheusUpdater>(options_, listener_, *registry_, families_, deliveries_, in_child);
    if (!in_child) updater->update();
    return updater;
  }

  const PrometheusOptions options_;
  const Listener listener_{options_.on_error};
  const std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<PrometheusFamilies> families_;
  delivery::Deliveries deliveries_;
  PerProcess<PrometheusUpdater> updater_;
};

PrometheusEventMetrics::PrometheusEventMetrics(std::shared_ptr<prometheus::Registry> registry,
                                               PrometheusOptions options)
    : impl_{std::make_unique<Impl>(std::move(registry), std::move(options))} {}

PrometheusEventMetrics::~PrometheusEventMetrics() = default;

void PrometheusEventMetrics::record_delivery_success(std::string_view endpoint_url,
                                                     std::chrono::nanoseconds duration) noexcept {
  impl_->deliveries().success(endpoint_url, duration);
}

void PrometheusEventMetrics::record_delivery_failure(std::string_view endpoint_url, int) noexcept {
  impl_->deliveries().failed(endpoint_url);
}

void PrometheusEventMetrics::record_delivery_error(std::string_view endpoint_url) noexcept {
  impl_->deliveries().failed(endpoint_url);
}

void PrometheusEventMetrics::increment_active_tasks() noexcept { impl_->deliveries().active_task(1); }
void PrometheusEventMetrics::decrement_active_tasks() noexcept { impl_->deliveries().active_task(-1); }

void PrometheusEventMetrics::update() noexcept { impl_->update(); }

}  // namespace event_metrics::inline v0
