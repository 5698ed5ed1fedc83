#include "event_metrics/prometheus_event_metrics.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <utility>

#include "base/listener.hpp"
#include "base/no_cancellation.hpp"
#include "base/own_thread.hpp"
#include "base/refuse.hpp"
#include "delivery/endpoints.hpp"
#include "prometheus/families.hpp"
#include "prometheus/updater.hpp"
#include "record/recorder.hpp"
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
        recorder_{PrometheusUpdater::limits(options_), [this](bool first) { return begin_in_child(first); }} {
    const NoCancellation meanwhile;
    std::unique_ptr<PrometheusUpdater> updater = new_updater(false);
    updater->update();
    updater->start();
    updater_.store(updater.release(), std::memory_order_release);
  }

  ~Impl() {
    const NoCancellation meanwhile;
    PrometheusUpdater* const updater = updater_.load(std::memory_order_acquire);
    const bool used_here = recorder_.is_prepared();
    if (used_here) delete updater;
    const std::lock_guard no_fork{record::Registry::instance().mutex()};
    if (used_here) {
      families_.reset();
    } else {  // a forked child that never used this: all is its parent's
      abandon(updater);
      abandon(families_.release());
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  record::Recorder& recorder() noexcept { return recorder_; }

  void update() noexcept {
    const NoCancellation meanwhile;
    (void)recorder_.begin_in_child();
    if (PrometheusUpdater* const updater = updater_.load(std::memory_order_acquire)) updater->update();
  }

 private:
  std::unique_ptr<PrometheusUpdater> new_updater(bool in_child) {
    return std::make_unique<PrometheusUpdater>(options_, listener_, *registry_, families_, recorder_, in_child);
  }
  // As Client's.
  bool begin_in_child(bool first) noexcept {
    if (first) abandon(updater_.exchange(nullptr, std::memory_order_relaxed));
    try {
      PrometheusUpdater* updater = updater_.load(std::memory_order_relaxed);
      if (updater == nullptr) {
        updater = new_updater(true).release();
        if (!first) updater->tell_late();
        updater_.store(updater, std::memory_order_release);
      }
      updater->start();
      return true;
    } catch (const std::exception&) {
      if (PrometheusUpdater* const here = updater_.load(std::memory_order_relaxed)) here->tell_late();
      return false;
    }
  }

  const PrometheusOptions options_;
  const Listener listener_{options_.on_error};
  const std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<PrometheusFamilies> families_;
  record::Recorder recorder_;
  // A forked child's first thread here replaces it; whoever loads it (acquire) finds the new one complete.
  std::atomic<PrometheusUpdater*> updater_{nullptr};
};

PrometheusEventMetrics::PrometheusEventMetrics(std::shared_ptr<prometheus::Registry> registry,
                                               PrometheusOptions options)
    : impl_{std::make_unique<Impl>(std::move(registry), std::move(options))} {}

PrometheusEventMetrics::~PrometheusEventMetrics() = default;

void PrometheusEventMetrics::record_delivery_success(std::string_view endpoint_url,
                                                     std::chrono::nanoseconds duration) noexcept {
  impl_->recorder().success(endpoint_url, duration);
}

void PrometheusEventMetrics::record_delivery_failure(std::string_view endpoint_url, int) noexcept {
  impl_->recorder().failed(endpoint_url);
}

void PrometheusEventMetrics::record_delivery_error(std::string_view endpoint_url) noexcept {
  impl_->recorder().failed(endpoint_url);
}

void PrometheusEventMetrics::increment_active_tasks() noexcept { impl_->recorder().active_task(1); }
void PrometheusEventMetrics::decrement_active_tasks() noexcept { impl_->recorder().active_task(-1); }

void PrometheusEventMetrics::update() noexcept { impl_->update(); }

}  // namespace event_metrics::inline v0
