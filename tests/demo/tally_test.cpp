#include "demo/tally.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "event_metrics/mock_event_metrics.hpp"

namespace demo {
namespace {

using namespace std::chrono_literals;
using event_metrics::MockEventMetrics;

TEST(TallyEventMetrics, CountsEveryCallByHost) {
  MockEventMetrics mock;
  TallyEventMetrics tally{mock};
  tally.record_delivery_success("http://a.example/1", 12'999us);
  tally.record_delivery_success("http://a.example/2", 12ms);
  tally.record_delivery_failure("http://a.example", 503);
  tally.record_delivery_error("http://b.example/1");

  EXPECT_EQ(tally.counts().endpoints.at("a.example"), (EndpointCounts{3, 2, 1, {{12, 2}}}));
  EXPECT_EQ(tally.counts().endpoints.at("b.example"), (EndpointCounts{1, 0, 1, {}}));
}

TEST(TallyEventMetrics, KnowsTheActiveTasks) {
  MockEventMetrics mock;
  TallyEventMetrics tally{mock};
  EXPECT_EQ(tally.counts().active_tasks, 0);
  tally.increment_active_tasks();
  EXPECT_EQ(tally.counts().active_tasks, 1);
  tally.decrement_active_tasks();
  EXPECT_EQ(tally.counts().active_tasks, 0);
}

TEST(TallyEventMetrics, PassesEveryCallOnAsItIs) {
  using Kind = MockEventMetrics::Kind;
  MockEventMetrics mock;
  TallyEventMetrics tally{mock};
  tally.increment_active_tasks();
  tally.record_delivery_success("http://a.example/1", 12'999us);
  tally.record_delivery_failure("http://a.example/1", 503);
  tally.record_delivery_error("http://a.example/1");
  tally.decrement_active_tasks();

  const std::vector<MockEventMetrics::Call> expected{
      {.kind = Kind::increment_active_tasks},
      {.kind = Kind::success, .endpoint_url = "http://a.example/1", .duration = 12'999us},
      {.kind = Kind::failure, .endpoint_url = "http://a.example/1", .status_code = 503},
      {.kind = Kind::error, .endpoint_url = "http://a.example/1"},
      {.kind = Kind::decrement_active_tasks}};
  EXPECT_EQ(mock.calls(), expected);
}

}  // namespace
}  // namespace demo
