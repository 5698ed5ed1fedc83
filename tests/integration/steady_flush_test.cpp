// Once all that threads record has been seen, and the agent reads, a flush allocates nothing. Not built with a
// sanitizer, which brings its own allocator.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/calls.hpp"
#include "support/heap.hpp"
#include "support/silent_agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Calls;

/// Records and flushes `turns` times; how often the flushes turned to the heap.
long flush(StatsdEventMetrics& metrics, const support::SilentAgent& agent, Calls& calls, int turns) {
  long heap_uses = 0;
  for (int turn = 0; turn < turns; ++turn) {
    // By now and then more than a ring holds, so that cells of threads are read as well.
    calls.make(metrics, turn % 4 == 0 ? Calls::seen : 100);
    const long before = support::heap_uses;
    const auto next = metrics.poll();
    heap_uses += support::heap_uses - before;
    agent.empty();
    std::this_thread::sleep_until(next);
  }
  return heap_uses;
}

void allocates_nothing(statsd::Agent dialect, EndpointLabel label) {
  const support::SilentAgent agent;
  StatsdEventMetrics metrics{{.agent = dialect,
                              .address = agent.address(),
                              .prefix = "a.prefix.that.is.longer.than.a.string.without.memory.",
                              .flush_interval = 1ms,
                              .own_thread = false,
                              .on_error = [](std::string_view) {}},
                             {.endpoint_label = label, .max_endpoints = Calls::max_endpoints}};
  Calls calls;
  (void)flush(metrics, agent, calls, 100);
  const statsd::Stats before = metrics.stats();
  // Where lines cannot have a weight, the faster the machine is, the more is left out: 200 turns were too few once.
  EXPECT_EQ(flush(metrics, agent, calls, 400), 0);
  const statsd::Stats after = metrics.stats();
  EXPECT_GT(after.datagrams_accepted, before.datagrams_accepted + 100);
  EXPECT_GT(after.timings_accepted, before.timings_accepted + 5000);
  EXPECT_EQ(after.datagrams_refused, 0u);
}

TEST(SteadyFlush, AllocatesNothingWhereEndpointsHaveLabels) {
  allocates_nothing(statsd::Agent::datadog, EndpointLabel::host);
}

TEST(SteadyFlush, AllocatesNothingWhereTheyHaveNone) { allocates_nothing(statsd::Agent::plain, EndpointLabel::none); }

}  // namespace
