#include "client/client_telemetry.hpp"

#include <gtest/gtest.h>

#include "client/options.hpp"

namespace event_metrics {
namespace {

using statsd::Agent;

TEST(ClientTelemetry, HasNoTagsUnlessAskedFor) {
  EXPECT_EQ(telemetry_suffix(wire::rules_of(Agent::datadog), {.agent = Agent::datadog}), "");
}

TEST(ClientTelemetry, SaysWhoTheClientIsBehindItsOwnTags) {
  EXPECT_EQ(telemetry_suffix(wire::rules_of(Agent::datadog),
                             {.agent = Agent::datadog, .tags = {{"env", "prod"}}, .client_telemetry = true}),
            "|#env:prod,client:cpp,client_version:0.1.0,client_transport:udp");
  EXPECT_EQ(telemetry_suffix(
                wire::rules_of(Agent::datadog),
                {.agent = Agent::datadog, .address = "unix:///var/run/datadog/dsd.socket", .client_telemetry = true}),
            "|#client:cpp,client_version:0.1.0,client_transport:uds");
}

}  // namespace
}  // namespace event_metrics
