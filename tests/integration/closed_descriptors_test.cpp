// A service closes every descriptor behind our back, and its own files get their numbers: those stay as they are, and
// what is recorded arrives.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;
using support::Tally;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";
constexpr int services_files = 64;

enum class Then { nothing, opens_files };

// With what was sent settled, so that nothing is on its way in a socket that goes.
int service(const std::string& address, bool own_thread, Then then) {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = address,
                              .flush_interval = 20ms,
                              .own_thread = own_thread,
                              .on_error = [](std::string_view) {}}};
  for (int round = 0; round < 3; ++round) {
    metrics.record_delivery_error(url);
    if (!metrics.flush(5s)) return 1;
    (void)::close_range(3, ~0U, 0);
    if (then == Then::nothing) continue;
    const int file = ::memfd_create("service", 0);
    for (int descriptor = file + 1; descriptor < services_files; ++descriptor) (void)::dup2(file, descriptor);
    metrics.record_delivery_error(url);
    if (!metrics.flush(5s)) return 2;
    struct stat content {};
    if (::fstat(file, &content) != 0 || content.st_size != 0) return 3;
    for (int descriptor = file; descriptor < services_files; ++descriptor) {
      struct stat other {};
      if (::fstat(descriptor, &other) != 0 || other.st_ino != content.st_ino) return 4;
    }
  }
  return 0;
}

void survives(Agent::Way way, Then then, std::int64_t recorded) {
  for (const bool own_thread : {true, false}) {
    if (own_thread && !support::children_may_have_threads) continue;
    const Agent agent{way};
    support::wait_until_other_threads_sleep();
    EXPECT_EQ(support::Child{[&] { return service(agent.address(), own_thread, then); }}.status(), 0);
    EXPECT_TRUE(agent.wait_for([&](const Tally& tally) { return tally.counter(attempts) == recorded; }));
  }
}

TEST(ClosedDescriptors, AreReplacedOverUdp) { survives(Agent::Way::udp4, Then::nothing, 3); }
TEST(ClosedDescriptors, AreReplacedOverIpv6) { survives(Agent::Way::udp6, Then::nothing, 3); }
TEST(ClosedDescriptors, AreReplacedOverAUnixSocket) { survives(Agent::Way::unix_datagram, Then::nothing, 3); }
TEST(ClosedDescriptors, AreTheServicesOnceItHasThemOverUdp) { survives(Agent::Way::udp4, Then::opens_files, 6); }
TEST(ClosedDescriptors, AreTheServicesOnceItHasThemOverIpv6) { survives(Agent::Way::udp6, Then::opens_files, 6); }
TEST(ClosedDescriptors, AreTheServicesOnceItHasThemOverAUnixSocket) {
  survives(Agent::Way::unix_datagram, Then::opens_files, 6);
}

}  // namespace
