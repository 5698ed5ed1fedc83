// The same random calls from eight threads into Mock, Prometheus and StatsD: three backends that tell the same story,
// for every endpoint. What StatsD tells is what an independent receiver read from a socket.

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "event_metrics/mock_event_metrics.hpp"
#include "event_metrics/prometheus_event_metrics.hpp"
#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

constexpr int runs = 200;
constexpr int threads = 8;
constexpr int calls = 250;
constexpr std::array<double, 6> edges = {100, 500, 1000, 2500, 5000, 10000};

struct Endpoint {
  double attempts = 0, successes = 0, failures = 0;
  std::array<double, 7> buckets{};
  double milliseconds = 0;

  void observe(double ms, double count) {
    buckets[static_cast<std::size_t>(std::ranges::lower_bound(edges, ms) - edges.begin())] += count;
    milliseconds += ms * count;
  }
};
struct Story {
  std::map<std::string, Endpoint> endpoints;  // by label
  double active_tasks = 0;

  /// Counters come before durations, and durations in several datagrams.
  std::array<double, 3> sums() const {
    std::array<double, 3> sums{0, 0, active_tasks};
    for (const auto& [label, endpoint] : endpoints) {
      sums[0] += endpoint.attempts;
      for (const double count : endpoint.buckets) sums[1] += count;
    }
    return sums;
  }
};

// --- how each backend tells it -----------------------------------------------------------------------------------

const std::map<std::string, std::string> labels = {{"https://a.io/T0/secret", "a.io"},
                                                   {"https://user:secret@B.io:443/", "b.io"},
                                                   {"http://b.io:8080/?token=secret", "b.io:8080"},
                                                   {"http://b.io:8080", "b.io:8080"},
                                                   {"secret", "invalid"}};

Story mock_tells(const MockEventMetrics& mock, bool by_host) {
  Story story;
  for (const MockEventMetrics::Call& call : mock.calls()) {
    using Kind = MockEventMetrics::Kind;
    if (call.kind == Kind::increment_active_tasks || call.kind == Kind::decrement_active_tasks) continue;
    Endpoint& endpoint = story.endpoints[by_host ? labels.at(call.endpoint_url) : ""];
    ++endpoint.attempts;
    if (call.kind == Kind::success) {
      ++endpoint.successes;
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(call.duration).count();
      endpoint.observe(static_cast<double>(std::max<std::int64_t>(ms, 0)), 1);
    } else {
      ++endpoint.failures;
    }
  }
  story.active_tasks = static_cast<double>(mock.active_task_count());
  return story;
}

Story prometheus_tells(const prometheus::Registry& registry) {
  Story story;
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (family.name == "notification_active_tasks") {
        story.active_tasks = metric.gauge.value;
        continue;
      }
      Endpoint& endpoint = story.endpoints[metric.label.empty() ? "" : metric.label.front().value];
      if (family.name == "notification_delivery_attempts_total") endpoint.attempts = metric.counter.value;
      if (family.name == "notification_delivery_successes_total") endpoint.successes = metric.counter.value;
      if (family.name == "notification_delivery_failures_total") endpoint.failures = metric.counter.value;
      if (family.name == "notification_delivery_duration_seconds") {
        endpoint.milliseconds = metric.histogram.sample_sum * 1000;
        double below = 0;
        for (std::size_t i = 0; i < metric.histogram.bucket.size(); ++i) {
          const auto count = static_cast<double>(metric.histogram.bucket[i].cumulative_count);
          endpoint.buckets.at(i) = count - std::exchange(below, count);
        }
      }
    }
  }
  // `other` and `invalid` are there from the beginning.
  std::erase_if(story.endpoints, [](const auto& entry) { return entry.second.attempts == 0; });
  return story;
}

/// The first is the metric's last word, the second the label.
std::pair<std::string, std::string> split(const std::string& key) {
  const std::size_t tags = std::min(key.find('#'), key.size());
  std::string name = key.substr(0, tags);
  for (const char* end : {"_total", "_seconds"}) {
    if (name.ends_with(end)) name.erase(name.rfind('_'));
  }
  const std::size_t value = key.find(':', tags);
  return {name.substr(name.find_last_of("._") + 1), value == std::string::npos ? "" : key.substr(value + 1)};
}

Story statsd_tells(const support::Tally& tally) {
  Story story;
  for (const auto& [key, count] : tally.counters) {
    const auto [what, label] = split(key);
    Endpoint& endpoint = story.endpoints[label];
    (what == "attempts"    ? endpoint.attempts
     : what == "successes" ? endpoint.successes
                           : endpoint.failures) = static_cast<double>(count);
  }
  for (const auto& [key, values] : tally.timings) {
    for (const auto& [ms, weight] : values) {
      story.endpoints[split(key).second].observe(static_cast<double>(ms), static_cast<double>(weight));
    }
  }
  if (!tally.gauges.empty()) story.active_tasks = static_cast<double>(tally.gauges.begin()->second);
  return story;
}

void expect_equal(const Story& truth, const Story& told, const char* backend) {
  SCOPED_TRACE(backend);
  EXPECT_EQ(told.active_tasks, truth.active_tasks);
  EXPECT_EQ(told.endpoints.size(), truth.endpoints.size());
  for (const auto& [label, expected] : truth.endpoints) {
    SCOPED_TRACE("endpoint `" + label + "`");
    ASSERT_TRUE(told.endpoints.contains(label));
    const Endpoint& endpoint = told.endpoints.at(label);
    EXPECT_EQ(endpoint.attempts, expected.attempts);
    EXPECT_EQ(endpoint.successes, expected.successes);
    EXPECT_EQ(endpoint.failures, expected.failures);
    EXPECT_EQ(endpoint.buckets, expected.buckets);
    EXPECT_NEAR(endpoint.milliseconds, expected.milliseconds, expected.milliseconds * 0.0005);
  }
}

// --- what is recorded --------------------------------------------------------------------------------------------

/// Around the edges of buckets and cells, and anywhere up to 20 s; few enough to have cells of their own.
std::vector<std::chrono::nanoseconds> durations(std::mt19937& random) {
  std::vector<std::chrono::nanoseconds> some{-1s, 0ns, 999'999ns};
  for (const double edge : edges) {
    const std::chrono::milliseconds at{static_cast<int>(edge)};
    some.insert(some.end(), {at - 1ms, at, at + 999'999ns, at + 1ms});
  }
  for (int i = 0; i < 20; ++i)
    some.emplace_back(std::uniform_int_distribution<std::int64_t>{0, 20'000'000'000}(random));
  return some;
}

void record(const std::vector<EventMetrics*>& backends, unsigned seed) {
  std::mt19937 random{seed};
  const std::vector<std::chrono::nanoseconds> some = durations(random);
  for (int i = 0; i < calls; ++i) {
    const std::string& url = std::next(labels.begin(), static_cast<std::ptrdiff_t>(random() % labels.size()))->first;
    const std::chrono::nanoseconds duration = some[random() % some.size()];
    const auto call = random() % 10;
    for (EventMetrics* const backend : backends) {
      if (call == 0) backend->increment_active_tasks();
      if (call == 1) backend->decrement_active_tasks();
      if (call == 2) backend->record_delivery_failure(url, 503);
      if (call == 3) backend->record_delivery_error(url);
      if (call > 3) backend->record_delivery_success(url, duration);
    }
  }
}

void run(unsigned seed) {
  constexpr std::array dialects = {statsd::Agent::datadog, statsd::Agent::telegraf, statsd::Agent::statsd_exporter,
                                   statsd::Agent::plain};
  const statsd::Agent dialect = dialects.at(seed % dialects.size());
  const bool by_host = dialect != statsd::Agent::plain;  // which has no tags

  const support::Agent agent;
  const auto registry = std::make_shared<prometheus::Registry>();
  MockEventMetrics mock;
  StatsdEventMetrics statsd{{.agent = dialect, .address = agent.address(), .flush_interval = 5ms}};
  PrometheusEventMetrics prometheus{registry, {by_host ? EndpointLabel::host : EndpointLabel::none}};

  std::vector<std::thread> recorders;
  for (unsigned i = 0; i < threads; ++i) {
    recorders.emplace_back([&, i] { record({&mock, &statsd, &prometheus}, seed * threads + i); });
  }
  prometheus.update();  // beside them
  for (std::thread& recorder : recorders) recorder.join();
  prometheus.update();
  ASSERT_TRUE(statsd.flush(30s));

  const Story truth = mock_tells(mock, by_host);
  ASSERT_TRUE(agent.wait_for([&](const support::Tally& tally) { return statsd_tells(tally).sums() == truth.sums(); }));
  EXPECT_EQ(statsd.stats().coarse, 0u);
  expect_equal(truth, prometheus_tells(*registry), "Prometheus");
  expect_equal(truth, statsd_tells(agent.tally()), "StatsD");
}

TEST(Backends, TellTheSameStoryOfTwoHundredRandomRuns) {
  for (unsigned seed = 0; seed < runs && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(seed);
  }
}

}  // namespace
