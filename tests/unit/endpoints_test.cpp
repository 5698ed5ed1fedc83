#include "delivery/endpoints.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace event_metrics {
namespace {

std::string refusal(EndpointLabel label, std::size_t max_endpoints) {
  try {
    check_endpoints("Some", label, max_endpoints);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Endpoints, TakesOneToAHundredThousand) {
  EXPECT_EQ(refusal(EndpointLabel::none, 1), "accepted");
  EXPECT_EQ(refusal(EndpointLabel::host, 100'000), "accepted");
  EXPECT_EQ(refusal(EndpointLabel::host, 0), "Some.max_endpoints is 0: write a number from 1 to 100000");
  EXPECT_EQ(refusal(EndpointLabel::host, 100'001), "Some.max_endpoints is 100001: write a number from 1 to 100000");
  EXPECT_EQ(refusal(static_cast<EndpointLabel>(2), 1),
            "Some.endpoint_label is no label: write EndpointLabel::none or ::host");
}

TEST(Endpoints, AreShownToPrometheusAsStatsdExporterWouldShowThem) {
  EXPECT_EQ(prometheus_label("[::1]:8080"), "[::1]:8080");
  EXPECT_EQ(prometheus_label("a|b#c"), "a_b#c");
}

}  // namespace
}  // namespace event_metrics
