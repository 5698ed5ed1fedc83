// prometheus-cpp called directly, which is what this library's PrometheusEventMetrics is to be compared with.

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends.hpp"

namespace bench {
namespace {

using event_metrics::EventMetrics;
using Seconds = std::chrono::duration<double>;

const prometheus::Histogram::BucketBoundaries buckets{0.1, 0.5, 1, 2.5, 5, 10};

class Families : public EventMetrics, public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override { return registry_.Collect(); }
  void increment_active_tasks() noexcept override { active_tasks_.Increment(); }
  void decrement_active_tasks() noexcept override { active_tasks_.Decrement(); }

 protected:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& attempts_ = prometheus::BuildCounter().Name("a").Register(registry_);
  prometheus::Family<prometheus::Counter>& successes_ = prometheus::BuildCounter().Name("s").Register(registry_);
  prometheus::Family<prometheus::Counter>& failures_ = prometheus::BuildCounter().Name("f").Register(registry_);
  prometheus::Family<prometheus::Histogram>& duration_ = prometheus::BuildHistogram().Name("d").Register(registry_);
  prometheus::Gauge& active_tasks_ = prometheus::BuildGauge().Name("t").Register(registry_).Add({});
};

/// No endpoint, so nothing to look up: its fastest way, which knows less than ours.
class WithoutLabel final : public Families {
 public:
  void record_delivery_success(std::string_view, std::chrono::nanoseconds duration) noexcept override {
    attempt_.Increment();
    success_.Increment();
    observed_.Observe(Seconds{duration}.count());
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view) noexcept override {
    attempt_.Increment();
    failure_.Increment();
  }

 private:
  prometheus::Counter& attempt_ = attempts_.Add({});
  prometheus::Counter& success_ = successes_.Add({});
  prometheus::Counter& failure_ = failures_.Add({});
  prometheus::Histogram& observed_ = duration_.Add({}, buckets);
};

class ByHost final : public Families {
 public:
  void record_delivery_success(std::string_view url, std::chrono::nanoseconds duration) noexcept override {
    const prometheus::Labels labels = labels_of(url);
    attempts_.Add(labels).Increment();
    successes_.Add(labels).Increment();
    duration_.Add(labels, buckets).Observe(Seconds{duration}.count());
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view url) noexcept override {
    const prometheus::Labels labels = labels_of(url);
    attempts_.Add(labels).Increment();
    failures_.Add(labels).Increment();
  }

 private:
  static prometheus::Labels labels_of(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    return {{"endpoint", std::string{url.substr(0, url.find('/'))}}};
  }
};

}  // namespace

std::unique_ptr<EventMetrics> make_prometheus_cpp() { return std::make_unique<WithoutLabel>(); }
std::unique_ptr<EventMetrics> make_prometheus_cpp_by_host() { return std::make_unique<ByHost>(); }

}  // namespace bench
