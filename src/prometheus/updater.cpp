#include "prometheus/updater.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "base/own_thread.hpp"
#include "delivery/endpoints.hpp"
#include "event_metrics/event_metrics.hpp"
#include "record/registry.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr std::size_t memory_for_cells = std::size_t{64} << 20U;

// A fork waits for this lock: who calls prometheus-cpp under it leaves a child none of that library's locks taken and
// none of its tables half changed.
std::mutex& no_fork() noexcept { return record::Registry::instance().mutex(); }

std::uint32_t endpoints(const PrometheusOptions& options) noexcept {
  return options.endpoint_label == EndpointLabel::host ? static_cast<std::uint32_t>(options.max_endpoints) : 1;
}
std::uint32_t most_series(const PrometheusOptions& options) noexcept {
  return endpoints(options) + delivery::first_endpoint;
}

}  // namespace

delivery::Deliveries::Limits PrometheusUpdater::limits(const PrometheusOptions& options) noexcept {
  delivery::Deliveries::Limits limits{
      .max_endpoints = endpoints(options),
      .by_endpoint = options.endpoint_label == EndpointLabel::host,
      .memory = {.bytes = memory_for_cells, .reader_share = ledger::bytes_per_recorded}};
  limits.memory.bytes += record::Recorder::fixed_bytes(limits.of_recorder());
  return limits;
}

PrometheusUpdater::PrometheusUpdater(const PrometheusOptions& options, const Listener& listener,
                                     prometheus::Registry& registry, std::unique_ptr<PrometheusFamilies>& families,
                                     delivery::Deliveries& deliveries, bool in_child)
    : options_{options},
      listener_{listener},
      registry_{registry},
      families_{families},
      deliveries_{deliveries},
      families_are_parents_{in_child},
      ledger_{deliveries.recorder().budget(), most_series(options)} {
  (void)tend();
}

PrometheusUpdater::~PrometheusUpdater() {
  alarm_.ring();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();  // on_error has called exit(), from which it does not come back
  } else if (thread_.joinable()) {
    thread_.join();
  }
}

void PrometheusUpdater::start() {
  thread_ = own_thread("event-metrics", [this] { run(); });
}

void PrometheusUpdater::run() noexcept {
  // on_error may fork: a child that comes back from it has nothing to do here.
  const std::uint32_t forks = detail::forks();
  Clock::time_point next_update = Clock::now();
  while (!alarm_.rung() && forks == detail::forks()) {
    const Clock::time_point now = Clock::now();
    if (now >= next_update) {
      update();
      next_update = now + interval;
    }
    Clock::time_point next_look;
    {
      const std::lock_guard turn{turn_};
      next_look = tend();
    }
    alarm_.sleep_until(std::min(next_update, next_look));
  }
}

void PrometheusUpdater::update() noexcept {
  std::vector<std::string> messages;
  {
    const std::lock_guard turn{turn_};
    const Clock::time_point now = Clock::now();
    try {
      update_registry();
    } catch (const std::exception&) {
      note(Cause::no_memory, now, "an update found no memory and is tried again");
    }
    tell_limits(now);
    messages = report_.take();
  }
  listener_.tell(messages);
}

void PrometheusUpdater::update_registry() {
  if (families_are_parents_ || !families_) renew_families();
  while (series_.size() < deliveries_.endpoint_count()) add_series(static_cast<std::uint32_t>(series_.size()));
  const bool complete = ledger_.fold(deliveries_.recorder(), true);
  ledger_.begin_round();
  while (const auto series = ledger_.next_owing_counters(0)) show(*series);
  families_->active_tasks().Set(static_cast<double>(deliveries_.recorder().active_tasks().count));
  if (!complete) throw std::bad_alloc{};
}

void PrometheusUpdater::renew_families() {
  const std::lock_guard lock{no_fork()};
  families_.reset();
  families_ = std::make_unique<PrometheusFamilies>(registry_);
  families_are_parents_ = false;
}

void PrometheusUpdater::add_series(std::uint32_t endpoint) {
  prometheus::Labels labels;
  if (options_.endpoint_label == EndpointLabel::host) {
    const std::string_view label = endpoint == delivery::other_endpoint     ? "other"
                                   : endpoint == delivery::invalid_endpoint ? "invalid"
                                                                            : deliveries_.label(endpoint);
    labels.emplace("endpoint", prometheus_label(label));
  }
  // What is there already is of a try that found no memory.
  if (ledger_.series_count() == endpoint) (void)ledger_.add_series();
  if (ledger_.row_count() == endpoint) ledger_.attach_row(endpoint);
  const std::lock_guard lock{no_fork()};
  series_.push_back(families_->series(labels));
}

void PrometheusUpdater::show(std::uint32_t series) {
  const ledger::Counts counts = ledger_.owed_counts(series);
  std::vector<double> buckets(bucket_edges.size() + 1);
  double milliseconds = 0;
  ledger_.for_each_owing(series, [&](std::uint32_t cell, std::uint64_t owed) {
    const auto durations = static_cast<double>(owed);
    buckets[bucket_of(cell)] += durations;
    milliseconds += durations * static_cast<double>(record::value_of(cell));
  });
  {
    const std::lock_guard lock{no_fork()};
    const PrometheusFamilies::Series& shown = series_[series];
    shown.attempts.Increment(static_cast<double>(counts.observed + counts.tallied));  // first: see PrometheusFamilies
    shown.successes.Increment(static_cast<double>(counts.observed));
    shown.failures.Increment(static_cast<double>(counts.tallied));
    shown.duration.ObserveMultiple(buckets, milliseconds / 1000);
  }
  ledger_.for_each_owing(series, [&](std::uint32_t cell, std::uint64_t owed) { ledger_.commit({series, cell, owed}); });
  ledger_.commit({series, ledger::observed_item, counts.observed});
  ledger_.commit({series, ledger::tallied_item, counts.tallied});
  if (!counts.announced) ledger_.commit({series, ledger::announced_item, 1});
}

void PrometheusUpdater::tell_limits(Clock::time_point now) noexcept {
  const bool more_coarse = std::exchange(coarse_, ledger_.totals().coarse) < ledger_.totals().coarse;
  if (late_.exchange(false, std::memory_order_relaxed)) {
    note(Cause::late, now, "a forked child could not begin at once: durations of until then are by power of two only");
  } else if (more_coarse) {
    note(Cause::coarse, now, "durations are kept by power of two only: no memory, or more than eight clients");
  }
  if (options_.endpoint_label == EndpointLabel::none || series_.empty()) return;
  const std::uint64_t other = ledger_.recorded(delivery::other_endpoint);
  if (std::exchange(other_, other) < other) {
    note(Cause::other, now, "deliveries are counted under endpoint=\"other\": raise max_endpoints");
  }
}

void PrometheusUpdater::note(Cause cause, Clock::time_point now, std::string_view what) noexcept {
  if (!report_.due(cause, now)) return;
  try {
    report_.note("prometheus: " + std::string{what});
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): without memory there is nothing to tell it with
  }
}

PrometheusUpdater::Clock::time_point PrometheusUpdater::tend() noexcept {
  return deliveries_.recorder().tend(Clock::now());
}

}  // namespace event_metrics::inline v0
