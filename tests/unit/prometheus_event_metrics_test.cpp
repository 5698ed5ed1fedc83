// The backend through its public header and a registry of prometheus-cpp, whose text is compared byte by byte.

#include "event_metrics/prometheus_event_metrics.hpp"

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/process.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

std::string text(const prometheus::Registry& registry) {
  return prometheus::TextSerializer{}.Serialize(registry.Collect());
}

/// The lines of what one scrape would show that hold `part`, each with an end of line.
std::string lines(const prometheus::Registry& registry, const std::string& part) {
  std::istringstream all{text(registry)};
  std::string found;
  for (std::string line; std::getline(all, line);) {
    if (!line.starts_with('#') && line.find(part) != std::string::npos) found += line + '\n';
  }
  return found;
}

struct Rig {
  explicit Rig(PrometheusOptions options = {}) : metrics{registry, std::move(options)} {}
  std::string shown(const std::string& part) {
    metrics.update();
    return lines(*registry, part);
  }
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  PrometheusEventMetrics metrics;
};

// --- the specification's list for this backend ------------------------------------------------------------------

TEST(PrometheusEventMetrics, MetricsRegisteredCorrectly) {
  const Rig rig;
  EXPECT_EQ(text(*rig.registry),
            "# HELP notification_delivery_successes_total Successful notification deliveries\n"
            "# TYPE notification_delivery_successes_total counter\n"
            "notification_delivery_successes_total 0\n"
            "# HELP notification_delivery_failures_total Failed notification deliveries\n"
            "# TYPE notification_delivery_failures_total counter\n"
            "notification_delivery_failures_total 0\n"
            "# HELP notification_delivery_attempts_total Total notification delivery attempts\n"
            "# TYPE notification_delivery_attempts_total counter\n"
            "notification_delivery_attempts_total 0\n"
            "# HELP notification_active_tasks Active notification delivery tasks\n"
            "# TYPE notification_active_tasks gauge\n"
            "notification_active_tasks 0\n"
            "# HELP notification_delivery_duration_seconds Notification delivery duration\n"
            "# TYPE notification_delivery_duration_seconds histogram\n"
            "notification_delivery_duration_seconds_count 0\n"
            "notification_delivery_duration_seconds_sum 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"0.1\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"0.5\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"1\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"2.5\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"5\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"10\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"+Inf\"} 0\n");
}

TEST(PrometheusEventMetrics, CountersIncrement) {
  Rig rig;
  rig.metrics.record_delivery_success("https://a.io/", 12ms);
  rig.metrics.record_delivery_success("https://b.io/", 12ms);
  rig.metrics.record_delivery_failure("https://a.io/", 503);
  rig.metrics.record_delivery_error("https://a.io/");
  EXPECT_EQ(rig.shown("_total"),
            "notification_delivery_successes_total 2\n"
            "notification_delivery_failures_total 2\n"
            "notification_delivery_attempts_total 4\n");
  rig.metrics.record_delivery_error("https://a.io/");
  EXPECT_EQ(rig.shown("_total"),
            "notification_delivery_successes_total 2\n"
            "notification_delivery_failures_total 3\n"
            "notification_delivery_attempts_total 5\n");
}

TEST(PrometheusEventMetrics, HistogramsRecordValues) {
  Rig rig;
  for (const std::chrono::nanoseconds duration :
       {std::chrono::nanoseconds{-5s}, std::chrono::nanoseconds{100ms}, 100'999'999ns, std::chrono::nanoseconds{101ms},
        std::chrono::nanoseconds{500ms}, std::chrono::nanoseconds{1s}, std::chrono::nanoseconds{1001ms},
        std::chrono::nanoseconds{2500ms}, std::chrono::nanoseconds{4s}}) {
    rig.metrics.record_delivery_success("https://a.io/", duration);
  }
  EXPECT_EQ(rig.shown("duration"),
            "notification_delivery_duration_seconds_count 9\n"
            "notification_delivery_duration_seconds_sum 9.302\n"
            "notification_delivery_duration_seconds_bucket{le=\"0.1\"} 3\n"
            "notification_delivery_duration_seconds_bucket{le=\"0.5\"} 5\n"
            "notification_delivery_duration_seconds_bucket{le=\"1\"} 6\n"
            "notification_delivery_duration_seconds_bucket{le=\"2.5\"} 8\n"
            "notification_delivery_duration_seconds_bucket{le=\"5\"} 9\n"
            "notification_delivery_duration_seconds_bucket{le=\"10\"} 9\n"
            "notification_delivery_duration_seconds_bucket{le=\"+Inf\"} 9\n");
}

TEST(PrometheusEventMetrics, GaugesIncrementAndDecrement) {
  Rig rig;
  rig.metrics.increment_active_tasks();
  rig.metrics.increment_active_tasks();
  rig.metrics.decrement_active_tasks();
  EXPECT_EQ(rig.shown("active"), "notification_active_tasks 1\n");
  for (int i = 0; i < 3; ++i) rig.metrics.decrement_active_tasks();
  EXPECT_EQ(rig.shown("active"), "notification_active_tasks -2\n");
}

TEST(PrometheusEventMetrics, ThreadSafeConcurrentAccess) {
  constexpr int threads = 8;
  constexpr int calls = 20'000;
  Rig rig;
  std::vector<std::thread> recorders;
  for (int i = 0; i < threads; ++i) {
    recorders.emplace_back([&rig] {
      for (int call = 0; call < calls; ++call) {
        const ActiveTask task{rig.metrics};
        rig.metrics.record_delivery_success("https://a.io/", 1s);
        rig.metrics.record_delivery_failure("https://a.io/", 500);
        rig.metrics.record_delivery_error("https://a.io/");
      }
    });
  }
  double before = 0;
  for (int scrape = 0; scrape < 100; ++scrape) {
    rig.metrics.update();
    const std::vector<prometheus::MetricFamily> families = rig.registry->Collect();
    const double successes = families.at(0).metric.front().counter.value;
    const double failures = families.at(1).metric.front().counter.value;
    const double attempts = families.at(2).metric.front().counter.value;
    EXPECT_GE(attempts, successes + failures);
    EXPECT_GE(successes, before);
    before = successes;
  }
  for (std::thread& recorder : recorders) recorder.join();
  EXPECT_EQ(rig.shown("_total") + rig.shown("active") + rig.shown("_sum"),
            "notification_delivery_successes_total 160000\n"
            "notification_delivery_failures_total 320000\n"
            "notification_delivery_attempts_total 480000\n"
            "notification_active_tasks 0\n"
            "notification_delivery_duration_seconds_sum 160000\n");
}

// --- beyond it ---------------------------------------------------------------------------------------------------

TEST(PrometheusEventMetrics, BringsTheRegistryUpToDateByItself) {
  Rig rig;
  rig.metrics.record_delivery_success("https://a.io/", 12ms);
  EXPECT_TRUE(support::eventually(
      [&rig] { return lines(*rig.registry, "successes") == "notification_delivery_successes_total 1\n"; }));
}

TEST(PrometheusEventMetrics, TellsFiveAndTenSecondsFromTheMillisecondAfter) {
  Rig rig;
  for (const auto duration : {5'000ms, 5'001ms, 10'000ms, 10'001ms, 4'194'305ms}) {
    rig.metrics.record_delivery_success("https://a.io/", duration);
  }
  EXPECT_EQ(rig.shown("bucket"),
            "notification_delivery_duration_seconds_bucket{le=\"0.1\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"0.5\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"1\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"2.5\"} 0\n"
            "notification_delivery_duration_seconds_bucket{le=\"5\"} 1\n"
            "notification_delivery_duration_seconds_bucket{le=\"10\"} 3\n"
            "notification_delivery_duration_seconds_bucket{le=\"+Inf\"} 5\n");
}

TEST(PrometheusEventMetrics, AddsUpDurationsOfMonths) {
  Rig rig;
  for (int i = 0; i < 2; ++i) rig.metrics.record_delivery_success("https://a.io/", 200 * 24h);
  EXPECT_EQ(rig.shown("_sum"), "notification_delivery_duration_seconds_sum 34544287.744\n");
}

TEST(PrometheusEventMetrics, LabelsEndpointsByHostWhenAskedTo) {
  Rig rig{{.endpoint_label = EndpointLabel::host, .max_endpoints = 2}};
  rig.metrics.record_delivery_error("https://user:secret@A.io:443/T0/secret?token=secret");
  rig.metrics.record_delivery_error("https://a.io/");
  rig.metrics.record_delivery_error("http://a.io:8080/");
  rig.metrics.record_delivery_error("https://the-third.io/");
  rig.metrics.record_delivery_error("no url, secret");
  std::string shown = rig.shown("attempts");
  for (const char* line : {"notification_delivery_attempts_total{endpoint=\"a.io\"} 2\n",
                           "notification_delivery_attempts_total{endpoint=\"a.io:8080\"} 1\n",
                           "notification_delivery_attempts_total{endpoint=\"other\"} 1\n",
                           "notification_delivery_attempts_total{endpoint=\"invalid\"} 1\n"}) {
    const std::size_t at = shown.find(line);
    ASSERT_NE(at, std::string::npos) << line;
    shown.erase(at, std::string{line}.size());
  }
  EXPECT_EQ(shown, "");
  EXPECT_EQ(text(*rig.registry).find("secret"), std::string::npos);
}

TEST(PrometheusEventMetrics, LabelsAHostHoweverItIsWritten) {
  Rig rig{{.endpoint_label = EndpointLabel::host, .max_endpoints = 1}};
  for (const char* const url :
       {"https://M\u00fcnchen.io/", " http://xn--mnchen-3ya.io./", "wss://xn--mnchen-3ya.IO:443\n"}) {
    rig.metrics.record_delivery_error(url);
  }
  rig.metrics.record_delivery_error("https://a.io\xff/secret");
  const std::string shown = rig.shown("attempts");
  EXPECT_NE(shown.find("{endpoint=\"xn--mnchen-3ya.io\"} 3\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("{endpoint=\"invalid\"} 1\n"), std::string::npos) << shown;
}

TEST(PrometheusEventMetrics, TellsWhenEndpointsShareOther) {
  std::vector<std::string> told;
  Rig rig{{.endpoint_label = EndpointLabel::host, .max_endpoints = 1, .on_error = [&told](std::string_view what) {
             told.emplace_back(what);
           }}};
  rig.metrics.record_delivery_error("https://a.io/");
  rig.metrics.update();
  EXPECT_EQ(told, std::vector<std::string>{});
  rig.metrics.record_delivery_error("https://b.io/");
  rig.metrics.update();
  rig.metrics.record_delivery_error("https://c.io/");
  rig.metrics.update();
  EXPECT_EQ(
      told,
      (std::vector<std::string>{"prometheus: deliveries are counted under endpoint=\"other\": raise max_endpoints"}));
}

std::string refusal(const std::shared_ptr<prometheus::Registry>& registry, const PrometheusOptions& options = {}) {
  try {
    const PrometheusEventMetrics metrics{registry, options};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PrometheusEventMetrics, RefusesANameThatIsRegisteredAlready) {
  const std::string message =
      "the registry has a metric \"notification_delivery_duration_seconds\" already: write another registry, or make "
      "one PrometheusEventMetrics for all";
  for (const auto behavior :
       {prometheus::Registry::InsertBehavior::Merge, prometheus::Registry::InsertBehavior::Throw}) {
    const auto same_type = std::make_shared<prometheus::Registry>(behavior);
    (void)prometheus::BuildHistogram().Name("notification_delivery_duration_seconds").Register(*same_type);
    EXPECT_EQ(refusal(same_type), message);
    const auto other_type = std::make_shared<prometheus::Registry>(behavior);
    prometheus::BuildCounter().Name("notification_delivery_duration_seconds").Register(*other_type).Add({});
    const std::string before = text(*other_type);
    EXPECT_EQ(refusal(other_type), message);
    EXPECT_EQ(text(*other_type), before);
  }
  const Rig rig;
  EXPECT_NE(refusal(rig.registry), "accepted");
  EXPECT_EQ(lines(*rig.registry, "attempts"), "notification_delivery_attempts_total 0\n");
}

TEST(PrometheusEventMetrics, RefusesWrongOptions) {
  const auto registry = std::make_shared<prometheus::Registry>();
  EXPECT_EQ(refusal(registry, {.max_endpoints = 0}),
            "PrometheusOptions.max_endpoints is 0: write a number from 1 to 100000");
  EXPECT_EQ(refusal(registry, {.endpoint_label = static_cast<EndpointLabel>(7)}),
            "PrometheusOptions.endpoint_label is no label: write EndpointLabel::none or ::host");
  EXPECT_EQ(refusal(nullptr), "registry is nullptr: write std::make_shared<prometheus::Registry>()");
  EXPECT_EQ(text(*registry), "");
}

TEST(PrometheusEventMetrics, TakesItsMetricsOutOfTheRegistryAtTheEnd) {
  const auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("mine_total").Register(*registry).Add({});
  {
    PrometheusEventMetrics metrics{registry};
    metrics.record_delivery_error("https://a.io/");
  }
  EXPECT_EQ(lines(*registry, ""), "mine_total 0\n");
  PrometheusEventMetrics again{registry};
  again.update();
  EXPECT_EQ(lines(*registry, "attempts"), "notification_delivery_attempts_total 0\n");
}

TEST(PrometheusEventMetrics, HasRoomForAHundredThousandEndpoints) {
  Rig rig{{.endpoint_label = EndpointLabel::host, .max_endpoints = 100'000}};
  rig.metrics.record_delivery_success("https://a.io/", 12ms);
  EXPECT_NE(rig.shown("_sum").find("notification_delivery_duration_seconds_sum{endpoint=\"a.io\"} 0.012\n"),
            std::string::npos);
}

}  // namespace
}  // namespace event_metrics
