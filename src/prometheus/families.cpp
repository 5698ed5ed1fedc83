#include "prometheus/families.hpp"

#include <prometheus/detail/builder.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "base/refuse.hpp"
#include "record/cells.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr bool is_cell_edge(std::uint64_t ms) { return record::cell_of(ms) != record::cell_of(ms + 1); }
static_assert(std::ranges::all_of(bucket_edges, is_cell_edge), "a cell would lie in two buckets");

std::vector<double> boundaries() {
  std::vector<double> seconds(bucket_edges.size());
  std::ranges::transform(bucket_edges, seconds.begin(), [](std::uint32_t edge) { return edge / 1000.0; });
  return seconds;
}

}  // namespace

std::size_t bucket_of(std::uint32_t cell) noexcept {
  return static_cast<std::size_t>(std::ranges::lower_bound(bucket_edges, record::value_of(cell)) -
                                  bucket_edges.begin());
}

template <class Metric>
OwnFamily<Metric>::OwnFamily(prometheus::Registry& registry, const std::string& name, const char* help)
    : registry_{registry}, family_{[&]() -> prometheus::Family<Metric>& {
        using Builder = prometheus::detail::Builder<Metric>;
        try {
          // A registry that merges gives out a family that is there already, unless the labels differ.
          (void)registry.Remove(Builder{}.Name(name).Labels({{"probe", ""}}).Register(registry));
          return Builder{}.Name(name).Help(help).Register(registry);
        } catch (const std::invalid_argument&) {
          refuse("the registry", "has a metric \"" + name + "\" already",
                 "write another registry, or make one PrometheusEventMetrics for all");
        }
      }()} {}

PrometheusFamilies::PrometheusFamilies(prometheus::Registry& registry)
    : names_{prometheus_keys()},
      successes_{registry, names_.successes, "Successful notification deliveries"},
      failures_{registry, names_.failures, "Failed notification deliveries"},
      attempts_{registry, names_.attempts, "Total notification delivery attempts"},
      duration_{registry, names_.duration, "Notification delivery duration"},
      active_tasks_{registry, names_.active_tasks, "Active notification delivery tasks"},
      active_tasks_gauge_{active_tasks_->Add({})} {}

PrometheusFamilies::Series PrometheusFamilies::series(const prometheus::Labels& labels) {
  return {attempts_->Add(labels), successes_->Add(labels), failures_->Add(labels),
          duration_->Add(labels, boundaries())};
}

}  // namespace event_metrics::inline v0
