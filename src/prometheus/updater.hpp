// prometheus/updater.hpp - brings the families up to date with what was recorded, from a thread of its own.

#pragma once

#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/alarm.hpp"
#include "base/listener.hpp"
#include "base/report.hpp"
#include "delivery/deliveries.hpp"
#include "event_metrics/prometheus_event_metrics.hpp"
#include "ledger/ledger.hpp"
#include "prometheus/families.hpp"

namespace event_metrics::inline v0 {

/// Everything of PrometheusEventMetrics that a forked child cannot use: it leaves its parent's untouched and makes its
/// own.
class PrometheusUpdater {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds interval{1};

  static delivery::Deliveries::Limits limits(const PrometheusOptions& options) noexcept;

  /// All that is passed outlives the updater. `families` has those of this process, or in a child those of its parent
  /// until the first update. Throws std::bad_alloc.
  PrometheusUpdater(const PrometheusOptions& options, const Listener& listener, prometheus::Registry& registry,
                    std::unique_ptr<PrometheusFamilies>& families, delivery::Deliveries& deliveries, bool in_child);
  ~PrometheusUpdater();
  PrometheusUpdater(const PrometheusUpdater&) = delete;
  PrometheusUpdater& operator=(const PrometheusUpdater&) = delete;

  /// Starts the thread. Throws std::system_error.
  void start();

  /// In a forked child: it, or its thread, could not be made at the first call, for this error number. The next
  /// update tells; 0 is nothing to tell. Any thread.
  void tell_late(int error) noexcept { late_.store(error != 0, std::memory_order_relaxed); }  // all that is said

  /// In a forked child, of its parent's updater: it keeps nothing from the process.
  void leave_to_parent() const noexcept {}

  /// See PrometheusEventMetrics.
  void update() noexcept;

 private:
  void run() noexcept;
  void update_registry();
  void renew_families();
  void add_series(std::uint32_t endpoint);
  void show(std::uint32_t series);
  void tell_limits(Clock::time_point now) noexcept;
  void note(Cause cause, Clock::time_point now, std::string_view what) noexcept;
  Clock::time_point tend() noexcept;

  const PrometheusOptions& options_;
  const Listener& listener_;
  prometheus::Registry& registry_;
  std::unique_ptr<PrometheusFamilies>& families_;
  delivery::Deliveries& deliveries_;

  std::mutex turn_;  // guards what follows, and families_
  bool families_are_parents_;
  ledger::Ledger ledger_;
  std::vector<PrometheusFamilies::Series> series_;  // by endpoint; endpoints with equal labels have equal ones
  std::uint64_t coarse_ = 0;
  std::uint64_t other_ = 0;
  Report report_;

  std::atomic<bool> late_{false};
  Alarm alarm_;
  std::thread thread_;
};

}  // namespace event_metrics::inline v0
