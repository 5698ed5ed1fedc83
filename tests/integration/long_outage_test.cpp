// The agent is away for a minute under full load: once every value has been seen nothing more is allocated, no memory
// is taken, and all of it arrives afterwards. Not built with a sanitizer, which allocates for itself.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/allocations.hpp"
#include "support/load.hpp"
#include "support/process.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Agent;

std::size_t resident_pages() {
  std::size_t size = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> size >> resident;
  return resident;
}

TEST(LongOutage, TakesNoMemoryAndLosesNothing) {
  auto agent = std::make_unique<Agent>();
  const std::string address = agent->address();
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = address,
                              .flush_interval = 100ms,
                              .max_memory_bytes = 256U << 20U,
                              .on_error = [](std::string_view) {}}};
  support::Load load{metrics, 4};
  ASSERT_TRUE(agent->wait_for_datagrams(1000));  // by then every thread has recorded every value
  agent->leave();
  support::Sums received = support::sums(agent->tally());
  agent.reset();
  ASSERT_TRUE(support::eventually([&] { return metrics.stats().datagrams_refused > 0; }));
  std::this_thread::sleep_for(2s);  // refusals and their message have been told

  const statsd::Stats before = metrics.stats();
  const long allocations = support::allocations;
  const std::size_t resident = resident_pages();
  std::this_thread::sleep_for(60s);  // the outage
  const long allocated = support::allocations - allocations;
  const std::size_t grown = resident_pages() - std::min(resident, resident_pages());
  const statsd::Stats after = metrics.stats();

  EXPECT_GT(after.recorded, before.recorded);
  EXPECT_EQ(after.accepted, before.accepted);
  EXPECT_EQ(after.coarse, 0u);
  EXPECT_EQ(after.memory_bytes, before.memory_bytes);
  EXPECT_LT(allocated, 20);  // on_error's next sentence is due within these 600 turns
  EXPECT_LT(grown, 16u);

  agent = std::make_unique<Agent>(Agent::Way::udp4, address);
  const support::Sums recorded = load.stop();
  ASSERT_TRUE(metrics.flush(30s));
  agent->leave();
  received += support::sums(agent->tally());
  EXPECT_EQ(received, recorded);
}

}  // namespace
