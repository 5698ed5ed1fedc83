// Prometheus, which scrapes what collectd exports. It sees totals and the last value of a gauge; of the durations
// collectd exports each interval's own statistics, of which a scrape sees some.

#include <gtest/gtest.h>

#include <string>

#include "agents/collectd.hpp"
#include "agents/comparison.hpp"
#include "agents/prometheus.hpp"
#include "agents/workload.hpp"

namespace agents {
namespace {

using event_metrics::statsd::Agent;

void compare(Kind kind) {
  const auto collectd_program = support::find_program("collectd");
  const auto program = support::find_program("prometheus");
  AGENTS_NEED(collectd_program, "collectd");
  AGENTS_NEED(program, "prometheus");
  Collectd collectd{*collectd_program};
  ASSERT_TRUE(collectd.listens()) << collectd.last_words();
  Prometheus prometheus{*program, collectd.http_port()};
  ASSERT_TRUE(prometheus.listens()) << prometheus.last_words();

  Comparison table{"prometheus"};
  Workload workload{kind, Agent::collectd, collectd.port()};
  const auto equal = [&](const std::string& name, std::int64_t recorded, const std::string& metric,
                         const std::string& statsd) {
    double reported = 0;
    (void)support::eventually([&] {
      reported = prometheus.answer(metric + "{statsd=\"" + statsd + "\"}").value_or(0);
      return reported == static_cast<double>(recorded);
    });
    table.equal(name, static_cast<double>(recorded), reported);
  };
  for (int i = 1; i <= legs; ++i) {
    const Recorded leg = workload.record_leg();
    equal("leg " + std::to_string(i) + ": active tasks", leg.active_tasks, "collectd_statsd_gauge",
          "notification.active_tasks");
  }
  const Counts total = workload.all().total();
  equal("attempts", total.attempts(), "collectd_statsd_derive_total", "notification.delivery.attempts");
  equal("successes", total.successes, "collectd_statsd_derive_total", "notification.delivery.successes");
  equal("failures", total.failures, "collectd_statsd_derive_total", "notification.delivery.failures");
}

TEST(Prometheus, ReportsTheFixedWorkload) { compare(Kind::fixed); }
TEST(Prometheus, ReportsTheRandomWorkload) { compare(Kind::random); }

}  // namespace
}  // namespace agents
