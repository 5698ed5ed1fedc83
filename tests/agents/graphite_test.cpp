// Graphite: etsy statsd in front of carbon, whose files are read. Every endpoint has series of its own, by its tag, and
// every number is exact.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "agents/comparison.hpp"
#include "agents/workload.hpp"

namespace agents {
namespace {

using event_metrics::statsd::Agent;

struct Point {
  std::uint64_t time;
  double value;
};

std::uint64_t big_endian(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8U | static_cast<unsigned char>(bytes.at(at + i));
  return number;
}

/// The points of a Whisper file with one archive: a header of 16 bytes, the archive's 12, then 12 bytes per point.
std::vector<Point> whisper(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  std::vector<Point> points;
  for (std::size_t at = 28; at + 12 <= bytes.size(); at += 12) {
    const std::uint64_t time = big_endian(bytes, at, 4);
    if (time != 0) points.push_back({time, std::bit_cast<double>(big_endian(bytes, at + 4, 8))});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.time < b.time; });
  return points;
}

class Carbon {
 public:
  explicit Carbon(const std::string& program)
      : process_{{program,
                  "--config=" +
                      folder_.configure("graphite/carbon.conf", {{"FOLDER", folder_.path()},
                                                                 {"PORT", std::to_string(port_)},
                                                                 {"PICKLE_PORT", std::to_string(support::free_port())},
                                                                 {"QUERY_PORT", std::to_string(support::free_port())}}),
                  "--nodaemon", "start"}} {}

  bool listens() const {
    return support::eventually([this] { return support::tcp_answers(port_); });
  }
  int port() const { return port_; }
  std::string last_words() { return process_.last_words(); }

  /// Of a series with `endpoint` as its only tag, or without tags where that is empty.
  std::vector<Point> points(std::string name, const std::string& endpoint = {}) const {
    const std::filesystem::path data = folder_.path() + "/whisper";
    if (endpoint.empty()) {
      std::replace(name.begin(), name.end(), '.', '/');
      return whisper(data / (name + ".wsp"));
    }
    name += ";endpoint=" + endpoint;
    for (std::size_t at = 0; (at = name.find('.', at)) != std::string::npos;) name.replace(at, 1, "_DOT_");
    std::error_code none_yet;
    for (const auto& file : std::filesystem::recursive_directory_iterator{data / "_tagged", none_yet}) {
      if (file.path().filename() == name + ".wsp") return whisper(file.path());
    }
    return {};
  }
  double sum(const std::string& name, const std::string& endpoint) const {
    double sum = 0;
    for (const Point& point : points(name, endpoint)) sum += point.value;
    return sum;
  }
  double last(const std::string& name) const {
    const std::vector<Point> all = points(name);
    return all.empty() ? 0 : all.back().value;
  }
  double greatest(const std::string& name, const std::string& endpoint) const {
    double greatest = 0;
    for (const Point& point : points(name, endpoint)) greatest = std::max(greatest, point.value);
    return greatest;
  }

  /// How many series it has accepted, and how many it has rejected, since the last call.
  std::pair<int, int> accepted_and_rejected() {
    std::pair<int, int> counts;
    for (const std::string& line : process_.lines()) {
      if (line.find("creating database metric") != std::string::npos) ++counts.first;
      if (line.find("Error parsing") != std::string::npos) ++counts.second;
    }
    return counts;
  }

 private:
  Folder folder_;
  std::string schemas_ = folder_.configure("graphite/storage-schemas.conf", {});
  int port_ = support::free_port();
  support::Process process_;
};

const std::string counters = "stats.counters.notification.delivery.";
const std::string timers = "stats.timers.notification.delivery.duration.";

bool all_there(const Carbon& carbon, const Recorded& all) {
  for (std::size_t i = 0; i < endpoints; ++i) {
    const Counts& counts = all.by_endpoint.at(i);
    if (carbon.sum(counters + "attempts.count", host(i)) != static_cast<double>(counts.attempts()) ||
        carbon.sum(timers + "count", host(i)) != static_cast<double>(counts.successes)) {
      return false;
    }
  }
  return carbon.last("stats.gauges.notification.active_tasks") == static_cast<double>(all.active_tasks);
}

void compare_endpoint(Comparison& table, const Carbon& carbon, const std::string& endpoint, const Counts& counts) {
  const auto equal = [&](const std::string& number, std::int64_t recorded, const std::string& series) {
    (void)support::eventually([&] { return carbon.sum(series, endpoint) == static_cast<double>(recorded); },
                              std::chrono::seconds{10});
    table.equal(endpoint + ": " + number, static_cast<double>(recorded), carbon.sum(series, endpoint));
  };
  equal("attempts", counts.attempts(), counters + "attempts.count");
  equal("successes", counts.successes, counters + "successes.count");
  equal("failures", counts.failures, counters + "failures.count");
  equal("durations", counts.successes, timers + "count");
  equal("sum, ms", counts.sum(), timers + "sum");
  const auto longest = static_cast<double>(counts.durations.rbegin()->first);
  (void)support::eventually([&] { return carbon.greatest(timers + "upper", endpoint) == longest; },
                            std::chrono::seconds{10});
  table.equal(endpoint + ": longest, ms", longest, carbon.greatest(timers + "upper", endpoint));
}

void compare(Kind kind) {
  const auto node = support::find_program("node");
  const auto program = support::find_program("carbon-cache");
  AGENTS_NEED(node, "node");
  AGENTS_NEED(std::filesystem::exists(ETSY), "statsd@0.9.0 from npm");
  AGENTS_NEED(program, "carbon-cache");
  Carbon carbon{*program};
  ASSERT_TRUE(carbon.listens()) << carbon.last_words();
  const Folder folder;
  const int port = support::free_port();
  support::Process etsy{
      {*node, ETSY,
       folder.configure("graphite/etsy.js", {{"PORT", std::to_string(port)},
                                             {"MANAGEMENT_PORT", std::to_string(support::free_port())},
                                             {"CARBON_PORT", std::to_string(carbon.port())}})}};
  ASSERT_TRUE(support::eventually([&] { return support::udp_socket(port).has_value(); })) << etsy.last_words();

  Comparison table{"graphite"};
  Workload workload{kind, Agent::graphite, port};
  for (int i = 1; i <= legs; ++i) {
    const Recorded leg = workload.record_leg();
    EXPECT_TRUE(support::eventually([&] { return all_there(carbon, workload.all()); })) << carbon.last_words();
    table.equal("leg " + std::to_string(i) + ": active tasks", static_cast<double>(leg.active_tasks),
                carbon.last("stats.gauges.notification.active_tasks"));
  }
  for (std::size_t i = 0; i < endpoints; ++i) {
    compare_endpoint(table, carbon, host(i), workload.all().by_endpoint.at(i));
  }
  const auto [accepted, rejected] = carbon.accepted_and_rejected();
  EXPECT_GT(accepted, 0);
  table.equal("series rejected by carbon", 0, rejected);
}

TEST(Graphite, ReportsTheFixedWorkload) { compare(Kind::fixed); }
TEST(Graphite, ReportsTheRandomWorkload) { compare(Kind::random); }

}  // namespace
}  // namespace agents
