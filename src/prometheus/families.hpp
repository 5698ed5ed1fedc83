// prometheus/families.hpp - the five metrics as prometheus-cpp's objects in the user's registry.

#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "delivery/delivery_keys.hpp"

namespace event_metrics::inline v0 {

/// The upper edges of the buckets in milliseconds, the edge included; behind the last is one more, up to infinity.
inline constexpr std::array<std::uint32_t, 6> bucket_edges = {100, 500, 1000, 2500, 5000, 10000};

/// The bucket of a recorder's cell.
std::size_t bucket_of(std::uint32_t cell) noexcept;

/// One family, in the registry for as long as this lives.
template <class Metric>
class OwnFamily {
 public:
  OwnFamily(prometheus::Registry& registry, const std::string& name, const char* help);
  ~OwnFamily() { (void)registry_.Remove(family_); }
  OwnFamily(const OwnFamily&) = delete;
  OwnFamily& operator=(const OwnFamily&) = delete;

  prometheus::Family<Metric>* operator->() const noexcept { return &family_; }

 private:
  prometheus::Registry& registry_;
  prometheus::Family<Metric>& family_;
};

class PrometheusFamilies {
 public:
  struct Series {
    prometheus::Counter& attempts;
    prometheus::Counter& successes;
    prometheus::Counter& failures;
    prometheus::Histogram& duration;
  };

  /// Throws std::invalid_argument when the registry has one of the names, and is then as it was before.
  explicit PrometheusFamilies(prometheus::Registry& registry);

  /// The series with this label, or without any; they begin with zeros. Throws std::bad_alloc.
  Series series(const prometheus::Labels& labels);

  prometheus::Gauge& active_tasks() noexcept { return active_tasks_gauge_; }

 private:
  const DeliveryKeys names_;
  // A registry is scraped in the order of registration. The attempts are read last and written first, so that no
  // scrape sees fewer attempts than successes and failures.
  OwnFamily<prometheus::Counter> successes_;
  OwnFamily<prometheus::Counter> failures_;
  OwnFamily<prometheus::Counter> attempts_;
  OwnFamily<prometheus::Histogram> duration_;
  OwnFamily<prometheus::Gauge> active_tasks_;
  prometheus::Gauge& active_tasks_gauge_;
};

}  // namespace event_metrics::inline v0
