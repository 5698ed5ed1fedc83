// Prometheus, which scrapes what collectd exports. It sees totals and the last value of a gauge; of the durations
// collectd exports each interval's own statistics, of which a scrape sees some.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "agents/collectd.hpp"
#include "agents/comparison.hpp"
#include "agents/workload.hpp"

namespace agents {
namespace {

using event_metrics::statsd::Agent;

class Prometheus {
 public:
  Prometheus(const std::string& program, int collectd_port)
      : process_{{program,
                  "--config.file=" + folder_.configure("prometheus/prometheus.yml",
                                                       {{"COLLECTD_PORT", std::to_string(collectd_port)}}),
                  "--storage.tsdb.path=" + folder_.path() + "/data",
                  "--web.listen-address=127.0.0.1:" + std::to_string(port_)}} {}

  bool listens() const {
    return support::eventually([this] { return support::http_get(port_, "/-/ready").has_value(); });
  }
  std::string last_words() { return process_.last_words(); }

  /// The last value of a series that collectd exports; 0 while there is none.
  double number(const std::string& metric, const std::string& statsd) const {
    const std::string query = metric + "%7Bstatsd%3D%22" + statsd + "%22%7D";
    const std::string page = support::http_get(port_, "/api/v1/query?query=" + query).value_or("");
    const std::size_t value = page.find("\"value\":[");
    if (value == std::string::npos) return 0;
    return std::strtod(page.c_str() + page.find(",\"", value) + 2, nullptr);
  }

 private:
  Folder folder_;
  int port_ = support::free_port();
  support::Process process_;
};

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
      reported = prometheus.number(metric, statsd);
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
