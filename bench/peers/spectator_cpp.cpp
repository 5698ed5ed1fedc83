#include <utility>  // before Boost 1.74, which forgets it

#include <registry.h>

#include <atomic>
#include <chrono>
#include <string_view>

#include "../workload.hpp"
#include "peers.hpp"

namespace {

using namespace event_metrics;

spectator::Registry& registry() {
  static const bench::SilentAgent agent;
  static spectator::Registry result = [] {
    spdlog::set_level(spdlog::level::off);
    return spectator::Registry{spectator::Config{spectator::WriterConfig{agent.address(), 4096}}};
  }();
  return result;
}

/// Its meters are made once, which is faster than to ask the registry for them in each call.
class SpectatorCpp final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view, std::chrono::nanoseconds duration) noexcept override {
    attempts_.Increment();
    successes_.Increment();
    duration_.Record(std::chrono::duration<double>{duration}.count());
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view) noexcept override {
    attempts_.Increment();
    failures_.Increment();
  }
  // It has no gauge that adds: the sum is the caller's.
  void increment_active_tasks() noexcept override { active_tasks_.Set(static_cast<double>(++active_)); }
  void decrement_active_tasks() noexcept override { active_tasks_.Set(static_cast<double>(--active_)); }

 private:
  std::atomic<std::int64_t> active_{0};
  spectator::Counter attempts_ = registry().CreateCounter("notification.delivery.attempts");
  spectator::Counter successes_ = registry().CreateCounter("notification.delivery.successes");
  spectator::Counter failures_ = registry().CreateCounter("notification.delivery.failures");
  spectator::Timer duration_ = registry().CreateTimer("notification.delivery.duration");
  spectator::Gauge active_tasks_ = registry().CreateGauge("notification.active_tasks");
};

}  // namespace

std::unique_ptr<EventMetrics> bench::make_spectator_cpp() { return std::make_unique<SpectatorCpp>(); }
