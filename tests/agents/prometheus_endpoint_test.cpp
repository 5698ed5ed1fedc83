// Prometheus, which scrapes the example: the specification's five queries, and what promtool says of the page.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "agents/comparison.hpp"
#include "agents/prometheus.hpp"

namespace agents {
namespace {

/// The example, and what it was told to record.
class Endpoint {
 public:
  Endpoint() : process_{{PROMETHEUS_ENDPOINT, "0"}} {
    (void)support::eventually([this] {
      for (const std::string& line : process_.lines()) port_ = std::stoi(line.substr(line.rfind(':') + 1));
      return port_ != 0;
    });
  }
  int port() const { return port_; }
  std::string last_words() { return process_.last_words(); }

  void success(int ms) {
    tell("success https://hooks.example.com/T0/secret " + std::to_string(ms));
    ++successes;
    durations.push_back(ms);
  }
  void failure() {
    tell("failure https://hooks.example.com/T0/secret 503");
    ++failures;
  }
  void error() {
    tell("error https://hooks.example.com/T0/secret");
    ++failures;
  }
  void active_task(int change) {
    tell(change > 0 ? "begin" : "end");
    active_tasks += change;
  }

  double successes = 0, failures = 0, active_tasks = 0;
  std::vector<int> durations;  // milliseconds

  double attempts() const { return successes + failures; }
  double average() const {
    double sum = 0;
    for (const int ms : durations) sum += ms;
    return sum / 1000 / static_cast<double>(durations.size());
  }
  /// As histogram_quantile is documented: evenly spread within its bucket.
  double p95() const {
    constexpr std::array edges = {0, 100, 500, 1000, 2500, 5000, 10000};
    const double rank = 0.95 * static_cast<double>(durations.size());
    double below = 0;
    for (std::size_t i = 1; i < edges.size(); ++i) {
      double inside = 0;
      for (const int ms : durations) inside += (ms > edges[i - 1] || i == 1) && ms <= edges[i] ? 1 : 0;
      if (below + inside >= rank) {
        return (edges[i - 1] + (edges[i] - edges[i - 1]) * (rank - below) / inside) / 1000;
      }
      below += inside;
    }
    return 10;
  }

 private:
  void tell(const std::string& line) { ASSERT_TRUE(process_.write(line + '\n')) << process_.last_words(); }

  support::Process process_;
  int port_ = 0;
};

void record_a_day(Endpoint& endpoint) {
  std::mt19937 random{20240229};
  std::lognormal_distribution<double> duration{5.5, 1};
  for (int i = 0; i < 20'000; ++i) {
    const auto verdict = random() % 10;
    if (verdict == 0) {
      endpoint.failure();
    } else if (verdict == 1) {
      endpoint.error();
    } else {
      endpoint.success(static_cast<int>(std::min(duration(random), 4095.0)));
    }
    if (i % 100 < 3) endpoint.active_task(i % 100 == 2 ? -1 : 1);
  }
}

/// Both as ten digits say them: an answer is a quotient of doubles.
double rounded(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%.10g", value);
  return std::strtod(text, nullptr);
}

TEST(PrometheusEndpoint, AnswersTheFiveQueriesOfTheSpecificationWithWhatWasRecorded) {
  const auto program = support::find_program("prometheus");
  AGENTS_NEED(program, "prometheus");
  Endpoint endpoint;
  ASSERT_NE(endpoint.port(), 0) << endpoint.last_words();
  Prometheus prometheus{*program, endpoint.port()};
  ASSERT_TRUE(prometheus.listens()) << prometheus.last_words();

  // A rate is about what Prometheus saw grow: from the zeros on.
  ASSERT_TRUE(support::eventually([&] { return prometheus.answer("notification_delivery_attempts_total") == 0; }));
  record_a_day(endpoint);
  ASSERT_TRUE(support::eventually(
      [&] { return prometheus.answer("notification_delivery_attempts_total") == endpoint.attempts(); }));

  Comparison table{"prometheus"};
  const auto equal = [&](const std::string& what, double recorded, const std::string& query) {
    double answer = 0;
    (void)support::eventually([&] {
      answer = rounded(prometheus.answer(query).value_or(0));
      return answer == rounded(recorded);
    });
    table.equal(what, rounded(recorded), answer);
  };
  equal("delivery success rate", endpoint.successes / endpoint.attempts(),
        "rate(notification_delivery_successes_total[5m]) / rate(notification_delivery_attempts_total[5m])");
  equal("delivery failure rate", endpoint.failures / endpoint.attempts(),
        "rate(notification_delivery_failures_total[5m]) / rate(notification_delivery_attempts_total[5m])");
  equal(
      "average delivery latency", endpoint.average(),
      "rate(notification_delivery_duration_seconds_sum[5m]) / rate(notification_delivery_duration_seconds_count[5m])");
  equal("P95 delivery latency", endpoint.p95(),
        "histogram_quantile(0.95, rate(notification_delivery_duration_seconds_bucket[5m]))");
  equal("active background tasks", endpoint.active_tasks, "notification_active_tasks");
}

TEST(PrometheusEndpoint, SatisfiesPromtool) {
  const auto program = support::find_program("promtool");
  AGENTS_NEED(program, "promtool");
  Endpoint endpoint;
  ASSERT_NE(endpoint.port(), 0) << endpoint.last_words();
  endpoint.success(250);
  endpoint.failure();
  endpoint.active_task(1);
  const auto page = support::http_get(endpoint.port(), "/metrics");
  ASSERT_TRUE(page);
  support::Process promtool{{*program, "check", "metrics"}};
  ASSERT_TRUE(promtool.write(*page));
  promtool.end_input();
  ASSERT_TRUE(support::eventually([&promtool] { return !promtool.running(); }));
  EXPECT_EQ(promtool.status(), 0);
  EXPECT_EQ(promtool.last_words(), "");
}

TEST(PrometheusEndpoint, HasNoOtherPage) {
  const Endpoint endpoint;
  EXPECT_TRUE(support::http_get(endpoint.port(), "/metrics"));
  EXPECT_FALSE(support::http_get(endpoint.port(), "/"));
}

}  // namespace
}  // namespace agents
