#include <opentelemetry/context/context.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/metrics/aggregation/aggregation_config.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_options.h>
#include <opentelemetry/sdk/metrics/meter_context_factory.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/metrics/meter_provider_factory.h>
#include <opentelemetry/sdk/metrics/push_metric_exporter.h>
#include <opentelemetry/sdk/metrics/view/instrument_selector_factory.h>
#include <opentelemetry/sdk/metrics/view/meter_selector_factory.h>
#include <opentelemetry/sdk/metrics/view/view_factory.h>

#include <chrono>
#include <string_view>

#include "peers.hpp"

namespace {

using namespace event_metrics;
namespace api = opentelemetry::metrics;
namespace sdk = opentelemetry::sdk::metrics;
namespace nostd = opentelemetry::nostd;

/// Sending is not its part here: nothing of the wire is measured in its favour or against it.
class Dropped final : public sdk::PushMetricExporter {
 public:
  opentelemetry::sdk::common::ExportResult Export(const sdk::ResourceMetrics&) noexcept override {
    return opentelemetry::sdk::common::ExportResult::kSuccess;
  }
  sdk::AggregationTemporality GetAggregationTemporality(sdk::InstrumentType) const noexcept override {
    return sdk::AggregationTemporality::kCumulative;
  }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }
};

std::unique_ptr<sdk::MeterProvider> provider() {
  sdk::PeriodicExportingMetricReaderOptions options;
  options.export_interval_millis = std::chrono::milliseconds{1000};
  options.export_timeout_millis = std::chrono::milliseconds{500};
  auto context = sdk::MeterContextFactory::Create();
  context->AddMetricReader(sdk::PeriodicExportingMetricReaderFactory::Create(std::make_unique<Dropped>(), options));
  auto result = sdk::MeterProviderFactory::Create(std::move(context));
  // The buckets of the other backends: its own fifteen would cost more.
  auto buckets = std::make_shared<sdk::HistogramAggregationConfig>();
  buckets->boundaries_ = {0.1, 0.5, 1, 2.5, 5, 10};
  result->AddView(sdk::InstrumentSelectorFactory::Create(sdk::InstrumentType::kHistogram, "*", ""),
                  sdk::MeterSelectorFactory::Create("", "", ""),
                  sdk::ViewFactory::Create("", "", sdk::AggregationType::kHistogram, buckets));
  return result;
}

class OpenTelemetry final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view url, std::chrono::nanoseconds duration) noexcept override {
    const nostd::string_view endpoint = host(url);
    attempts_->Add(1, {{"endpoint", endpoint}}, context_);
    successes_->Add(1, {{"endpoint", endpoint}}, context_);
    duration_->Record(std::chrono::duration<double>{duration}.count(), {{"endpoint", endpoint}}, context_);
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view url) noexcept override {
    const nostd::string_view endpoint = host(url);
    attempts_->Add(1, {{"endpoint", endpoint}}, context_);
    failures_->Add(1, {{"endpoint", endpoint}}, context_);
  }
  void increment_active_tasks() noexcept override { active_tasks_->Add(1, context_); }
  void decrement_active_tasks() noexcept override { active_tasks_->Add(-1, context_); }

 private:
  static nostd::string_view host(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    return {url.data(), std::min(url.find('/'), url.size())};
  }

  const opentelemetry::context::Context context_{};  // made once: in each call it would be allocated
  std::unique_ptr<sdk::MeterProvider> provider_ = provider();
  nostd::shared_ptr<api::Meter> meter_ = provider_->GetMeter("event-metrics");
  nostd::unique_ptr<api::Counter<std::uint64_t>> attempts_ = meter_->CreateUInt64Counter("attempts");
  nostd::unique_ptr<api::Counter<std::uint64_t>> successes_ = meter_->CreateUInt64Counter("successes");
  nostd::unique_ptr<api::Counter<std::uint64_t>> failures_ = meter_->CreateUInt64Counter("failures");
  nostd::unique_ptr<api::Histogram<double>> duration_ = meter_->CreateDoubleHistogram("duration");
  nostd::unique_ptr<api::UpDownCounter<std::int64_t>> active_tasks_ = meter_->CreateInt64UpDownCounter("active_tasks");
};

}  // namespace

std::unique_ptr<EventMetrics> bench::make_opentelemetry_cpp() { return std::make_unique<OpenTelemetry>(); }
