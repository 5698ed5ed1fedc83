// As calling_path: once its thread and its endpoint have been seen, a call neither allocates nor enters the kernel,
// while another thread brings the registry up to date and scrapes it without a pause.

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "event_metrics/prometheus_event_metrics.hpp"
#include "support/allocations.hpp"
#include "support/system_calls.hpp"

namespace {

using namespace event_metrics;

void all_calls(EventMetrics& metrics, int times) {
  static const std::string urls[] = {"https://hooks.example.com/T0/secret", "https://user:pw@[::1]:8443/x",
                                     "no url at all"};
  for (int i = 0; i < times; ++i) {
    const std::string& url = urls[i % 3];
    metrics.record_delivery_success(url, std::chrono::milliseconds{i % 500});
    metrics.record_delivery_failure(url, 503);
    metrics.record_delivery_error(url);
    metrics.increment_active_tasks();
    metrics.decrement_active_tasks();
  }
}

TEST(PrometheusCallingPath, NeitherAllocatesNorEntersTheKernelBesideAScrape) {
  PrometheusEventMetrics* metrics = nullptr;
  const int status = support::filtered(
      [&] {
        const auto registry = std::make_shared<prometheus::Registry>();
        metrics = new PrometheusEventMetrics{registry, {.endpoint_label = EndpointLabel::host}};
        all_calls(*metrics, 2000);
        std::thread{[metrics, registry] {
          for (;;) {
            metrics->update();
            (void)registry->Collect();
          }
        }}.detach();
        support::own_allocations = 0;
      },
      [&] {
        all_calls(*metrics, 200'000);
        if (support::own_allocations != 0) ::_exit(4);
      });
  EXPECT_EQ(status, 0);
}

}  // namespace
