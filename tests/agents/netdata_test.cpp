// netdata: counters and gauges are exact, and so are a second's shortest and longest duration and its median. It does
// not report how many durations there were, nor their sum.

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "agents/comparison.hpp"
#include "agents/workload.hpp"

namespace agents {
namespace {

using event_metrics::statsd::Agent;

/// One second of the chart of durations.
struct Second {
  double min, max, average, percentile, median, deviation;
};

class Netdata {
 public:
  explicit Netdata(const std::string& program)
      : process_{{program, "-D", "-c",
                  folder_.configure("netdata/netdata.conf", {{"FOLDER", folder_.path()},
                                                             {"USER", ::getpwuid(::geteuid())->pw_name},
                                                             {"PORT", std::to_string(port_)},
                                                             {"HTTP_PORT", std::to_string(http_port_)}})}} {}

  bool listens() const {
    return support::eventually([this] {
      return support::udp_socket(port_).has_value() && support::http_get(http_port_, "/api/v1/info").has_value();
    });
  }
  int port() const { return port_; }
  std::string last_words() { return process_.last_words(); }

  /// What it has counted, as it exports it to Prometheus. There are moments at which its page is without a chart.
  double number(const std::string& name) const {
    double number = 0;
    EXPECT_TRUE(support::eventually([&] {
      const std::string path = "/api/v1/allmetrics?format=prometheus&source=raw";
      const std::string page = support::http_get(http_port_, path).value_or("");
      const std::size_t line = page.find("\nnetdata_statsd_" + name + "{");
      if (line == std::string::npos) return false;
      number = std::strtod(page.c_str() + page.find("} ", line) + 2, nullptr);
      return true;
    })) << name;
    return number;
  }
  double counter(const std::string& name) const { return number(name + "_counter_total"); }
  double active_tasks() const { return number("notification_active_tasks_gauge") / 1000; }

  /// The durations, oldest second first.
  std::vector<Second> seconds() const {
    const std::string chart = "statsd_notification.delivery.duration_timer";
    std::istringstream lines{
        support::http_get(http_port_, "/api/v1/data?chart=" + chart + "&after=-300&format=csv").value_or("")};
    std::vector<Second> seconds;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      Second second{};
      if (std::sscanf(line.c_str(), "%*[^,],%lf,%lf,%lf,%lf,%lf,%lf", &second.min, &second.max, &second.average,
                      &second.percentile, &second.median, &second.deviation) == 6) {
        seconds.push_back(second);
      }
    }
    std::reverse(seconds.begin(), seconds.end());
    return seconds;
  }

 private:
  Folder folder_;
  int port_ = support::free_port();
  int http_port_ = support::free_port();
  support::Process process_;
};

std::vector<double> sorted(const Counts& counts) {
  std::vector<double> values;
  for (const auto& [ms, count] : counts.durations) {
    values.insert(values.end(), static_cast<std::size_t>(count), static_cast<double>(ms));
  }
  return values;
}

/// The seconds in which durations arrived, when one has passed in which none did: then they are complete.
std::vector<Second> busy_seconds(const Netdata& netdata, std::size_t more_than) {
  std::vector<Second> busy;
  EXPECT_TRUE(support::eventually([&] {
    const std::vector<Second> seconds = netdata.seconds();
    busy.clear();
    std::copy_if(seconds.begin(), seconds.end(), std::back_inserter(busy), [](const Second& s) { return s.max > 0; });
    return busy.size() > more_than && seconds.back().max == 0;
  }));
  return busy;
}

void compare_durations(Comparison& table, const std::string& leg, const Counts& counts,
                       const std::vector<Second>& seconds) {
  const std::vector<double> values = sorted(counts);
  double min = seconds.front().min;
  double max = 0;
  for (const Second& second : seconds) {
    min = std::min(min, second.min);
    max = std::max(max, second.max);
  }
  table.equal(leg + "durations: min, ms", values.front(), min);
  table.equal(leg + "durations: max, ms", values.back(), max);
  const double mean = static_cast<double>(counts.sum()) / static_cast<double>(values.size());
  if (seconds.size() > 1) {
    table.differs(leg + "durations: average, ms", mean, 0, true, "the leg lies across intervals");
    return;
  }
  const Second& only = seconds.front();
  table.differs(leg + "durations: average, ms", mean, only.average, std::fabs(mean - only.average) <= 0.001,
                "equal to the three decimals that it keeps");
  const std::size_t middle = values.size() / 2;
  const bool even = values.size() % 2 == 0;
  const double median = even ? (values[middle - 1] + values[middle]) / 2 : values[middle];
  if (only.median == median) {
    table.equal(leg + "durations: median, ms", median, only.median);
  } else {
    // libnetdata/statistical.c, median_on_sorted_series; later versions have it right.
    table.differs(leg + "durations: median, ms", median, only.median,
                  even && only.median == (values[middle] + values[middle + 1]) / 2,
                  "of an even number it takes the two behind the middle");
  }
  const auto rank = static_cast<std::size_t>(std::floor(static_cast<double>(values.size()) * 0.95));
  table.equal(leg + "durations: percentile 95, ms", values[rank - 1], only.percentile);
}

void compare(Kind kind, Agent row) {
  const auto program = support::find_program("netdata");
  AGENTS_NEED(program, "netdata");
  Netdata netdata{*program};
  ASSERT_TRUE(netdata.listens()) << netdata.last_words();

  Comparison table{"netdata" + std::string{row == Agent::plain ? " as plain" : ""}};
  Workload workload{kind, row, netdata.port()};
  std::size_t seconds_before = 0;
  for (int i = 1; i <= legs; ++i) {
    const Recorded leg = workload.record_leg();
    const auto attempts = static_cast<double>(workload.all().total().attempts());
    const auto active_tasks = static_cast<double>(leg.active_tasks);
    (void)support::eventually(
        [&] {
          return netdata.counter("notification_delivery_attempts") == attempts &&
                 netdata.active_tasks() == active_tasks;
        },
        std::chrono::seconds{30});
    const std::string name = "leg " + std::to_string(i) + ": ";
    table.equal(name + "active tasks", active_tasks, netdata.active_tasks());
    std::vector<Second> seconds = busy_seconds(netdata, seconds_before);
    ASSERT_GT(seconds.size(), seconds_before);
    seconds.erase(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds_before));
    seconds_before += seconds.size();
    compare_durations(table, name, leg.total(), seconds);
  }

  const Counts total = workload.all().total();
  for (const auto& [name, value] : {std::pair{"attempts", total.attempts()}, std::pair{"successes", total.successes},
                                    std::pair{"failures", total.failures}}) {
    table.equal(name, static_cast<double>(value), netdata.counter("notification_delivery_" + std::string{name}));
  }
}

TEST(Netdata, ReportsTheFixedWorkload) { compare(Kind::fixed, Agent::netdata); }
TEST(Netdata, ReportsTheRandomWorkload) { compare(Kind::random, Agent::netdata); }
TEST(Netdata, ReportsTheFixedWorkloadOfThePlainRow) { compare(Kind::fixed, Agent::plain); }
TEST(Netdata, ReportsTheRandomWorkloadOfThePlainRow) { compare(Kind::random, Agent::plain); }

}  // namespace
}  // namespace agents
