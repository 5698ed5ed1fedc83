// As calling_path: once its thread and its endpoint have been seen, a call neither allocates nor enters the kernel,
// while another thread brings the registry up to date and scrapes it without a pause.

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <memory>
#include <string_view>
#include <thread>

#include "event_metrics/prometheus_event_metrics.hpp"
#include "support/calls.hpp"
#include "support/heap.hpp"
#include "support/system_calls.hpp"

namespace {

using namespace event_metrics;

TEST(PrometheusCallingPath, NeitherAllocatesNorEntersTheKernelBesideAScrape) {
  PrometheusEventMetrics* metrics = nullptr;
  support::Calls calls;
  const int status = support::filtered(
      [&] {
        const auto registry = std::make_shared<prometheus::Registry>();
        metrics = new PrometheusEventMetrics{registry,
                                             {.endpoint_label = EndpointLabel::host,
                                              .max_endpoints = support::Calls::max_endpoints,
                                              .on_error = [](std::string_view) {}}};
        calls.make(*metrics, support::Calls::seen);
        std::thread{[metrics, registry] {
          for (;;) {
            metrics->update();
            (void)registry->Collect();
          }
        }}.detach();
        support::heap_uses = 0;
      },
      [&] {
        calls.make(*metrics, 200'000);
        if (support::heap_uses != 0) ::_exit(4);
      });
  EXPECT_EQ(status, 0);
}

}  // namespace
