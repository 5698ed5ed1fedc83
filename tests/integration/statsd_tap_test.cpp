// The tap as a person runs it, beside a client and beside the demo.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/loopback.hpp"
#include "support/process.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

class Tap {
 public:
  explicit Tap(const std::vector<std::string>& options, const std::string& address = "udp://127.0.0.1:0") {
    std::vector<std::string> command{TAP, address};
    command.insert(command.end(), options.begin(), options.end());
    process_ = std::make_unique<support::Process>(command);
    const std::string first = "listening at ";
    EXPECT_TRUE(shows_one([&](const std::string& line) { return line.starts_with(first); })) << process_->last_words();
    if (!lines_.empty()) address_ = lines_.front().substr(first.size());
    lines_.clear();
  }

  const std::string& address() const { return address_; }

  /// Waits for a line.
  template <class Is>
  bool shows_one(Is is) {
    return support::eventually([&] {
      for (std::string& line : process_->lines()) lines_.push_back(std::move(line));
      return std::any_of(lines_.begin(), lines_.end(), is);
    });
  }
  bool shows(const std::string& text) {
    return shows_one([&](const std::string& line) { return line == text; });
  }

  /// All lines up to the end.
  std::vector<std::string> end() {
    process_->end();
    for (std::string& line : process_->lines()) lines_.push_back(std::move(line));
    return lines_;
  }

 private:
  std::unique_ptr<support::Process> process_;
  std::vector<std::string> lines_;
  std::string address_;
};

void send_to(const std::string& address, const std::string& datagram) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = support::loopback(std::stoi(address.substr(address.rfind(':') + 1)));
  EXPECT_EQ(::sendto(socket, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(datagram.size()));
  (void)::close(socket);
}

TEST(StatsdTap, ShowsWhatAServiceSendsInColumns) {
  Tap tap{{}};
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog, .address = tap.address(), .own_thread = false}};
  metrics.record_delivery_success("https://hooks.example.com/T0/secret", 12ms);
  metrics.record_delivery_success("https://hooks.example.com/T0/secret", 12ms);
  ASSERT_TRUE(metrics.flush(10s));
  EXPECT_TRUE(tap.shows("gauge        notification.active_tasks                0"));
  EXPECT_TRUE(
      tap.shows("counter      notification.delivery.successes          2                endpoint:hooks.example.com"));
  EXPECT_TRUE(
      tap.shows("timing       notification.delivery.duration           12 ms x 2        endpoint:hooks.example.com"));
}

TEST(StatsdTap, ShowsLinesAsTheyCame) {
  Tap tap{{"--raw"}};
  send_to(tap.address(), "a:1|c|#k:v\nb:2|ms|@0.5");
  EXPECT_TRUE(tap.shows("a:1|c|#k:v"));
  EXPECT_TRUE(tap.shows("b:2|ms|@0.5"));
}

TEST(StatsdTap, SaysWhatIsWrongWithALineAndWhere) {
  Tap tap{{}};
  send_to(tap.address(), std::string{"a:1|c|@7\nb\x1b:1|c\nc:1|c"});
  EXPECT_TRUE(tap.shows("malformed at column 8, the rate is not above 0 and at most 1: a:1|c|@7"));
  EXPECT_TRUE(tap.shows("malformed at column 2, a blank or control byte in the name: b\\x1b:1|c"));
  EXPECT_TRUE(tap.shows_one([](const std::string& line) { return line.starts_with("counter      c "); }));
}

TEST(StatsdTap, SumsUpOnceASecondAndAtItsEnd) {
  Tap tap{{"--summary"}};
  send_to(tap.address(), "sold:3|c\nsold:4|c\nload:-5|g\ntook:12|ms|@0.02\nbad");
  EXPECT_TRUE(tap.shows("1 datagrams, 5 lines, 1 malformed"));
  send_to(tap.address(), "sold:0.5|c");
  const std::vector<std::string> lines = tap.end();
  const auto last = std::find(lines.begin(), lines.end(), "2 datagrams, 6 lines, 1 malformed");
  ASSERT_NE(last, lines.end());
  const std::vector<std::string> keys{last + 1, lines.end()};
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].substr(0, 34), "sum 7.5          counter      sold");
  EXPECT_EQ(keys[1].substr(0, 34), "last -5          gauge        load");
  EXPECT_EQ(keys[2].substr(0, 34), "count 50         timing       took");
}

TEST(StatsdTap, ListensAtAPathAndTakesItAway) {
  char folder[] = "/tmp/event-metrics-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string{folder} + "/tap.sock";
  Tap tap{{"--raw"}, "unix://" + path};
  EXPECT_EQ(tap.address(), "unix://" + path);
  StatsdEventMetrics metrics{{.agent = statsd::Agent::plain, .address = tap.address(), .own_thread = false}};
  metrics.record_delivery_error("https://a/");
  ASSERT_TRUE(metrics.flush(10s));
  EXPECT_TRUE(tap.shows("notification.delivery.failures:1|c"));
  (void)tap.end();
  EXPECT_EQ(::rmdir(folder), 0) << "the path is still there";
}

TEST(StatsdTap, SaysThatAPortIsTaken) {
  const Tap first{{}};
  support::Process second{{TAP, first.address()}};
  ASSERT_TRUE(support::eventually([&] { return !second.running(); }));
  EXPECT_EQ(second.last_words(), "statsd_tap: " + first.address() + ": Address already in use\n");
}

/// What the demo recorded, from its table: attempts, successes, failures of all endpoints.
TEST(StatsdTap, ShowsTheCountsOfTheDemoBesideIt) {
  Tap tap{{"--summary"}};
  support::Process demo{{DEMO, "--deliveries", "100", "--agent", "datadog", "--address", tap.address()}};
  ASSERT_TRUE(support::eventually([&] { return !demo.running(); }));
  std::map<std::string, double> sums;  // by metric
  for (const std::string& line : tap.end()) {
    std::istringstream words{line};
    std::string what;
    double value = 0;
    std::string type;
    std::string name;
    std::string tag;
    if (words >> what >> value >> type >> name >> tag && (what == "sum" || what == "count")) {
      sums[name + " " + tag] = value;  // the last summary stands
    }
  }
  double attempts = 0;
  double successes = 0;
  double failures = 0;
  double durations = 0;
  for (const auto& [key, value] : sums) {
    if (key.starts_with("notification.delivery.attempts ")) attempts += value;
    if (key.starts_with("notification.delivery.successes ")) successes += value;
    if (key.starts_with("notification.delivery.failures ")) failures += value;
    if (key.starts_with("notification.delivery.duration ")) durations += value;
  }
  EXPECT_EQ(attempts, 100);
  EXPECT_EQ(attempts, successes + failures);
  EXPECT_EQ(durations, successes);
  // The demo's own table, whose last row is the sum.
  std::istringstream table{demo.last_words()};
  std::string row;
  while (std::getline(table, row) && !row.starts_with("all endpoints")) continue;
  std::istringstream numbers{row};
  std::string all;
  double told_attempts = 0;
  double told_successes = 0;
  double told_failures = 0;
  numbers >> all >> all >> told_attempts >> told_successes >> told_failures;
  EXPECT_EQ(told_attempts, attempts) << demo.last_words();
  EXPECT_EQ(told_successes, successes);
  EXPECT_EQ(told_failures, failures);
}

}  // namespace
}  // namespace event_metrics
