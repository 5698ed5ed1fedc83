// The demo's publisher, on real connections, as a service would test its own: with the mock.

#include "demo/publisher.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "demo/endpoints.hpp"
#include "event_metrics/mock_event_metrics.hpp"

namespace demo {
namespace {

using namespace std::chrono_literals;
using event_metrics::MockEventMetrics;

constexpr std::string_view event = R"({"event":"repository_created"})";

class PublisherTest : public testing::Test {
 protected:
  void expect(int successes, int failures, int errors) const {
    EXPECT_EQ(metrics_.success_count(), successes);
    EXPECT_EQ(metrics_.failure_count(), failures);
    EXPECT_EQ(metrics_.error_count(), errors);
    EXPECT_EQ(metrics_.active_task_count(), 0);
  }

  Endpoints endpoints_{1};
  MockEventMetrics metrics_;
};

TEST_F(PublisherTest, RecordsASuccessWhenTheEndpointAccepts) {
  Publisher{metrics_, 10s}.publish(event, endpoints_.only(Temper::healthy));
  expect(1, 0, 0);
}

TEST_F(PublisherTest, RecordsTheUrlAndTheTimeThatTheEndpointTook) {
  const auto start = std::chrono::steady_clock::now();
  Publisher{metrics_, 10s}.publish(event, endpoints_.only(Temper::slow));
  const auto elapsed = std::chrono::steady_clock::now() - start;

  const MockEventMetrics::Call success = metrics_.calls().at(1);
  EXPECT_EQ(success.endpoint_url, endpoints_.only(Temper::slow).front().url);
  EXPECT_GE(success.duration, 20ms);
  EXPECT_LE(success.duration, elapsed);
}

TEST_F(PublisherTest, RecordsAFailureWithItsStatusWhenTheEndpointIsUnavailable) {
  Publisher{metrics_, 10s}.publish(event, endpoints_.only(Temper::unavailable));
  expect(0, 1, 0);
  EXPECT_EQ(metrics_.calls().at(1).status_code, 503);
}

TEST_F(PublisherTest, RecordsAnErrorWhenTheEndpointRefuses) {
  Publisher{metrics_, 10s}.publish(event, endpoints_.only(Temper::refusing));
  expect(0, 0, 1);
}

TEST_F(PublisherTest, RecordsAnErrorWhenTheEndpointStaysSilent) {
  Publisher{metrics_, 20ms}.publish(event, endpoints_.only(Temper::silent));
  expect(0, 0, 1);
}

TEST_F(PublisherTest, RecordsAnErrorWhenTheAnswerHandlerThrows) {
  Publisher publisher{metrics_, 10s, [](const Endpoint&, int) { throw std::runtime_error{"no receipt"}; }};
  publisher.publish(event, endpoints_.only(Temper::healthy));
  expect(0, 0, 1);
}

TEST_F(PublisherTest, GoesOnToTheNextEndpointAfterAThrow) {
  Publisher publisher{metrics_, 10s, [](const Endpoint&, int status) {
                        if (status == 200) throw std::runtime_error{"no receipt"};
                      }};
  publisher.publish(event, endpoints_.all().first(3));
  expect(0, 1, 2);
}

TEST_F(PublisherTest, ShowsTheStatusToTheAnswerHandler) {
  int seen = 0;
  Publisher publisher{metrics_, 10s, [&](const Endpoint&, int status) { seen = status; }};
  publisher.publish(event, endpoints_.only(Temper::unavailable));
  EXPECT_EQ(seen, 503);
  expect(0, 1, 0);
}

TEST_F(PublisherTest, IsOneActiveTaskWhileItPublishes) {
  std::int64_t active = 0;
  Publisher publisher{metrics_, 10s, [&](const Endpoint&, int) { active = metrics_.active_task_count(); }};
  publisher.publish(event, endpoints_.only(Temper::healthy));
  EXPECT_EQ(active, 1);
  expect(1, 0, 0);
}

TEST(SplitUrl, TakesHostAndTargetApart) {
  EXPECT_EQ(split_url("http://a.example/hooks/1?x=y").host, "a.example");
  EXPECT_EQ(split_url("http://a.example/hooks/1?x=y").target, "/hooks/1?x=y");
}

TEST(SplitUrl, AsksForTheRootWithoutATarget) { EXPECT_EQ(split_url("http://a.example").target, "/"); }

}  // namespace
}  // namespace demo
