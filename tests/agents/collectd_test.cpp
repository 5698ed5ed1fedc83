// collectd: counters and gauges are exact, durations are but for those of 0 ms, which it does not count.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "agents/collectd.hpp"
#include "agents/comparison.hpp"
#include "agents/workload.hpp"

namespace agents {
namespace {

using event_metrics::statsd::Agent;

const std::string key = "notification.delivery.";
const std::string duration = "latency-" + key + "duration-";
const char* const zeros_lost = "collectd does not count durations of 0 ms";

/// It holds times in units of 2^-30 s and writes them in seconds with six digits behind the point.
double milliseconds(double seconds) { return std::round(seconds * 1000); }

double least(const std::vector<double>& values) {
  double least = std::numeric_limits<double>::infinity();
  for (const double value : values) least = std::fmin(least, value);  // passes over nan
  return least;
}
double greatest(const std::vector<double>& values) {
  double greatest = 0;
  for (const double value : values) greatest = std::fmax(greatest, value);
  return greatest;
}

/// The least duration that `percent` of all others but 0 ms do not pass.
double percentile(const Counts& counts, double percent) {
  const double rank = static_cast<double>(counts.successes - counts.zeros()) * percent / 100;
  std::int64_t passed = 0;
  for (const auto& [ms, count] : counts.durations) {
    if (ms == 0) continue;
    passed += count;
    if (static_cast<double>(passed) >= rank) return static_cast<double>(ms);
  }
  return 0;
}

/// The last leg's percentiles, if it lies in one interval.
void compare_percentiles(Comparison& table, const Collectd& collectd, const Counts& leg) {
  const std::vector<double> sums = collectd.values(duration + "sum");
  const auto whole = [&](double sum) { return milliseconds(sum) == static_cast<double>(leg.sum()); };
  const auto found = std::find_if(sums.rbegin(), sums.rend(), whole);
  for (const int percent : {50, 99}) {
    const std::string number = "percentile-" + std::to_string(percent);
    const std::vector<double> values = collectd.values(duration + number);
    const auto interval = static_cast<std::size_t>(sums.rend() - found) - 1;
    const double recorded = percentile(leg, percent);
    if (found == sums.rend() || values.size() <= interval) {
      table.differs("last leg: " + number + ", ms", recorded, 0, true, "the leg lies across intervals");
    } else {
      const double reported = values[interval] * 1000;
      table.differs("last leg: " + number + ", ms", recorded, reported, std::fabs(reported - recorded) <= 8,
                    "interpolated within 8 ms of a histogram");
    }
  }
}

void compare(Kind kind, Agent row) {
  const auto program = support::find_program("collectd");
  AGENTS_NEED(program, "collectd");
  Collectd collectd{*program};
  ASSERT_TRUE(collectd.listens()) << collectd.last_words();

  Comparison table{"collectd" + std::string{row == Agent::plain ? " as plain" : ""}};
  Workload workload{kind, row, collectd.port()};
  Recorded leg;
  for (int i = 1; i <= legs; ++i) {
    leg = workload.record_leg();
    const Counts total = workload.all().total();
    // It writes a leg's numbers one by one, the durations among them.
    (void)support::eventually(
        [&] {
          return collectd.last("derive-" + key + "attempts") == static_cast<double>(total.attempts()) &&
                 collectd.last("gauge-notification.active_tasks") == static_cast<double>(leg.active_tasks) &&
                 collectd.sum("gauge-" + key + "duration-count") ==
                     static_cast<double>(total.successes - total.zeros()) &&
                 milliseconds(collectd.sum(duration + "sum")) == static_cast<double>(total.sum());
        },
        std::chrono::seconds{30});
    table.equal("leg " + std::to_string(i) + ": active tasks", static_cast<double>(leg.active_tasks),
                collectd.last("gauge-notification.active_tasks"));
  }

  const Counts total = workload.all().total();
  for (const auto& [name, value] : {std::pair{"attempts", total.attempts()}, std::pair{"successes", total.successes},
                                    std::pair{"failures", total.failures}}) {
    const auto recorded = static_cast<double>(value);
    (void)support::eventually([&, key_name = key + name] { return collectd.sum("count-" + key_name) == recorded; });
    table.equal(name, recorded, collectd.last("derive-" + key + name));
    table.equal(std::string{name} + ", sum over intervals", recorded, collectd.sum("count-" + key + name));
  }
  const auto successes = static_cast<double>(total.successes);
  const double count = collectd.sum("gauge-" + key + "duration-count");
  table.differs("durations: count", successes, count, count == successes - static_cast<double>(total.zeros()),
                zeros_lost);
  table.equal("durations: sum, ms", static_cast<double>(total.sum()), milliseconds(collectd.sum(duration + "sum")));
  // These come after the sum.
  const auto longest = static_cast<double>(total.durations.rbegin()->first);
  const auto shortest = static_cast<double>(std::next(total.durations.begin())->first);
  (void)support::eventually([&] {
    return milliseconds(greatest(collectd.values(duration + "upper"))) == longest &&
           milliseconds(least(collectd.values(duration + "lower"))) == shortest;
  });
  table.equal("durations: upper, ms", longest, milliseconds(greatest(collectd.values(duration + "upper"))));
  const double lower = milliseconds(least(collectd.values(duration + "lower")));
  table.differs("durations: lower, ms", 0, lower, lower == shortest, zeros_lost);
  compare_percentiles(table, collectd, leg.total());
}

TEST(Collectd, ReportsTheFixedWorkload) { compare(Kind::fixed, Agent::collectd); }
TEST(Collectd, ReportsTheRandomWorkload) { compare(Kind::random, Agent::collectd); }
TEST(Collectd, ReportsTheFixedWorkloadOfThePlainRow) { compare(Kind::fixed, Agent::plain); }
TEST(Collectd, ReportsTheRandomWorkloadOfThePlainRow) { compare(Kind::random, Agent::plain); }

}  // namespace
}  // namespace agents
