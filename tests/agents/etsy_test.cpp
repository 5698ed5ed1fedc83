// etsy statsd, of which every number is exact, because each duration is sent as a line of its own.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "agents/comparison.hpp"
#include "agents/workload.hpp"

namespace agents {
namespace {

using event_metrics::statsd::Agent;

const std::string key = "notification.delivery.";
const std::string duration = key + "duration";

/// What lines_backend.js printed, flush by flush.
class Flushes {
 public:
  using Numbers = std::map<std::string, std::vector<double>>;

  explicit Flushes(support::Process& process) : process_{process} {}

  void read() {
    for (const std::string& line : process_.lines()) {
      if (line == "flush") {
        flushes_.push_back(std::exchange(flush_, {}));
        continue;
      }
      std::istringstream words{line};
      std::string name;
      words >> name;
      std::vector<double>& numbers = flush_[name];
      numbers.clear();
      for (double number = 0; words >> number;) numbers.push_back(number);
    }
  }
  bool next() {
    const std::size_t before = flushes_.size();
    return support::eventually([&] {
      read();
      return flushes_.size() > before;
    });
  }

  std::size_t size() const { return flushes_.size(); }
  const Numbers& operator[](std::size_t flush) const { return flushes_.at(flush); }
  double number(std::size_t flush, const std::string& name) const {
    const auto found = flushes_.at(flush).find(name);
    return found == flushes_.at(flush).end() || found->second.size() != 1 ? 0 : found->second.front();
  }
  double sum(const std::string& name) const {
    double sum = 0;
    for (std::size_t flush = 0; flush < flushes_.size(); ++flush) sum += number(flush, name);
    return sum;
  }

 private:
  support::Process& process_;
  Numbers flush_;
  std::vector<Numbers> flushes_;
};

/// What lib/process_metrics.js has to make of these durations.
std::map<std::string, double> statistics(const Counts& counts) {
  std::vector<double> values;
  for (const auto& [ms, count] : counts.durations) {
    values.insert(values.end(), static_cast<std::size_t>(count), static_cast<double>(ms));
  }
  std::map<std::string, double> made;
  const auto cut = [&](std::size_t size, const std::string& suffix) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < size; ++i) {
      sum += values[i];
      squares += values[i] * values[i];
    }
    made["count" + suffix] = static_cast<double>(size);
    made["sum" + suffix] = sum;
    made["sum_squares" + suffix] = squares;
    made["mean" + suffix] = sum / static_cast<double>(size);
    made["upper" + suffix] = values[size - 1];
  };
  const std::size_t size = values.size();
  for (const int percent : {50, 90, 99}) {
    cut(static_cast<std::size_t>(std::floor(percent / 100.0 * static_cast<double>(size) + 0.5)),
        "_" + std::to_string(percent));
  }
  cut(size, "");
  double squares = 0;
  for (const double value : values) squares += (value - made["mean"]) * (value - made["mean"]);
  made["std"] = std::sqrt(squares / static_cast<double>(size));
  made["lower"] = values.front();
  made["median"] = size % 2 == 1 ? values[size / 2] : (values[size / 2 - 1] + values[size / 2]) / 2;
  return made;
}

/// The statistics of the one flush that holds all of a leg; returns how many were as recorded.
int equal_statistics(const Flushes& flushes, std::size_t flush, const Counts& leg) {
  int equal = 0;
  for (const auto& [name, value] : statistics(leg)) {
    const double reported = flushes.number(flush, "timer_data." + duration + "." + name);
    EXPECT_EQ(value, reported) << name;
    if (value == reported) ++equal;
  }
  return equal;
}

void compare(Kind kind) {
  const auto node = support::find_program("node");
  AGENTS_NEED(node, "node");
  AGENTS_NEED(std::filesystem::exists(ETSY), "statsd@0.9.0 from npm");
  const Folder folder;
  const int port = support::free_port();
  support::Process process{
      {*node, ETSY,
       folder.configure("etsy/config.js", {{"PORT", std::to_string(port)},
                                           {"MANAGEMENT_PORT", std::to_string(support::free_port())},
                                           {"SOURCE", AGENTS}})}};
  ASSERT_TRUE(support::eventually([&] { return support::udp_socket(port).has_value(); })) << process.last_words();

  Comparison table{"etsy"};
  Flushes flushes{process};
  Workload workload{kind, Agent::etsy, port};
  std::map<std::int64_t, std::int64_t> durations;
  // An interval has just begun, as it has at the end of every leg.
  ASSERT_TRUE(flushes.next()) << process.last_words();
  for (int leg = 1; leg <= legs; ++leg) {
    const std::size_t first = flushes.size();
    const Recorded recorded = workload.record_leg();
    const Counts counts = recorded.total();
    const auto whole = static_cast<double>(workload.all().total().attempts());
    ASSERT_TRUE(support::eventually([&] {
      flushes.read();
      return flushes.sum("counters." + key + "attempts") >= whole;
    })) << flushes.sum("counters." + key + "attempts")
        << " of " << whole << "\n"
        << process.last_words();

    std::vector<std::size_t> parts;
    for (std::size_t flush = first; flush < flushes.size(); ++flush) {
      const auto values = flushes[flush].find("timers." + duration);
      if (values == flushes[flush].end() || values->second.empty()) continue;
      parts.push_back(flush);
      for (const double ms : values->second) ++durations[static_cast<std::int64_t>(ms)];
    }
    const std::string name = "leg " + std::to_string(leg) + ": ";
    table.equal(name + "active tasks", static_cast<double>(recorded.active_tasks),
                flushes.number(flushes.size() - 1, "gauges.notification.active_tasks"));
    const auto expected = static_cast<int>(statistics(counts).size());
    if (parts.size() == 1) {
      table.equal(name + "statistics of the durations", expected, equal_statistics(flushes, parts.front(), counts));
    } else {
      table.differs(name + "statistics of the durations", expected, 0, true, "the leg lies across intervals");
    }
  }

  const Counts total = workload.all().total();
  table.equal("attempts", static_cast<double>(total.attempts()), flushes.sum("counters." + key + "attempts"));
  table.equal("successes", static_cast<double>(total.successes), flushes.sum("counters." + key + "successes"));
  table.equal("failures", static_cast<double>(total.failures), flushes.sum("counters." + key + "failures"));
  table.equal("durations: count", static_cast<double>(total.successes),
              flushes.sum("timer_data." + duration + ".count"));
  table.equal("durations: sum", static_cast<double>(total.sum()), flushes.sum("timer_data." + duration + ".sum"));
  table.equal("durations: different values", static_cast<double>(total.durations.size()),
              static_cast<double>(durations.size()));
  EXPECT_EQ(total.durations, durations);
  table.equal("datagrams", static_cast<double>(workload.stats().datagrams_accepted),
              flushes.sum("counters.statsd.packets_received"));
  table.equal("bad lines", 0, flushes.sum("counters.statsd.bad_lines_seen"));
}

TEST(Etsy, ReportsTheFixedWorkload) { compare(Kind::fixed); }
TEST(Etsy, ReportsTheRandomWorkload) { compare(Kind::random); }

}  // namespace
}  // namespace agents
