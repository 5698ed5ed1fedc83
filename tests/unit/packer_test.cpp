#include "packer.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "delivery_keys.hpp"
#include "record/recorder.hpp"
#include "support/agent.hpp"
#include "support/sanitizer.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t memory = 16U << 20U;
constexpr std::uint64_t no_end = 1'000'000'000;

/// What a flush has between its cells and its socket.
struct Rig {
  explicit Rig(statsd::Agent agent, std::size_t limit = 1432)
      : rules{wire::rules_of(agent)},
        recorder{{.max_endpoints = 8, .by_endpoint = rules.tags, .memory_bytes = memory}, [](bool) { return true; }},
        ledger{memory, 10},
        series{rules, delivery_keys(rules, "", false), {}, rules.tags, limit},
        packer{rules, limit, series, telemetry_suffix, ledger} {
    (void)recorder.write_ahead(0, recorder.taken_lines());
  }

  void fold() {
    while (ledger.series_count() < series.size()) (void)ledger.add_series();
    while (ledger.endpoint_count() < recorder.endpoint_count()) {
      const std::uint32_t endpoint = ledger.endpoint_count();
      const std::uint32_t to =
          endpoint < 2 ? (rules.tags ? endpoint : 0) : series.find_or_add(recorder.endpoint(endpoint));
      if (to == ledger.series_count()) (void)ledger.add_series();
      ledger.attach_endpoint(to);
    }
    ledger.fold(recorder);
  }

  /// All that is owed, datagram by datagram.
  std::vector<std::string> datagrams() {
    std::vector<std::string> all;
    while (packer.fill()) all.emplace_back(packer.bytes());
    return all;
  }
  support::Tally tally() {
    support::Tally tally;
    for (const std::string& datagram : datagrams()) tally.read_datagram(datagram);
    return tally;
  }

  const wire::AgentRules& rules;
  record::Recorder recorder;
  ledger::Ledger ledger;
  DeliverySeries series;
  std::string telemetry_suffix = "|#client:cpp";
  Packer packer;
};

constexpr const char* duration = "notification.delivery.duration";
constexpr std::uint64_t line_bytes = 41;  // of a duration without tags, as the packer reckons

TEST(Packer, HasReservedWhatASeriesOfEveryDurationTakes) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer's heap does not tell its size";
  Rig rig{statsd::Agent::datadog};
  for (int ms = 0; ms < 5000; ++ms) {
    rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
    (void)rig.recorder.write_ahead(rig.ledger.memory_bytes(), rig.recorder.taken_lines());
  }
  rig.fold();
  ASSERT_EQ(rig.ledger.totals().coarse, 0u);
  const std::size_t heap = ::mallinfo2().uordblks;
  rig.packer.begin_turn(no_end);
  while (rig.packer.fill()) continue;
  EXPECT_EQ(::mallinfo2().uordblks, heap);
}

TEST(Packer, SendsOneLineForNeighbouringTimingsWhereARateCounts) {
  Rig rig{statsd::Agent::etsy};
  for (const int ms : {10, 11, 11, 12, 100, 101, 103, 900})
    rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
  rig.fold();
  rig.packer.begin_turn(9);  // ten turns have room for two of eight lines
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_EQ(rig.packer.bytes(),
            "notification.delivery.attempts:8|c\n"
            "notification.delivery.successes:8|c\n"
            "notification.delivery.failures:0|c\n"
            "notification.delivery.duration:11|ms|@0.25\n"
            "notification.delivery.duration:103|ms|@0.25");
  EXPECT_FALSE(rig.packer.fill());
  EXPECT_TRUE(rig.ledger.owes_nothing());
  EXPECT_EQ(rig.ledger.totals().timings_accepted, 8u);
  EXPECT_EQ(rig.ledger.totals().left_out, 0u);
}

TEST(Packer, LeavesOutWhatIsTooMuchForAnAgentWithoutRates) {
  Rig rig{statsd::Agent::plain};
  for (const int ms : {10, 11, 11, 12, 100, 101, 103, 900})
    rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
  rig.fold();
  rig.packer.begin_turn(9);
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_EQ(rig.packer.bytes(),
            "notification.delivery.attempts:8|c\n"
            "notification.delivery.successes:8|c\n"
            "notification.delivery.failures:0|c\n"
            "notification.delivery.duration:11|ms\n"
            "notification.delivery.duration:103|ms");
  EXPECT_TRUE(rig.ledger.owes_nothing());
  EXPECT_EQ(rig.ledger.totals().timings_accepted, 2u);
  EXPECT_EQ(rig.ledger.totals().left_out, 6u);
  rig.packer.undo();
  EXPECT_EQ(rig.ledger.totals().timings_accepted, 0u);
  EXPECT_EQ(rig.ledger.totals().left_out, 0u);
  EXPECT_EQ(rig.ledger.owed_timings(0), 8u);
}

TEST(Packer, KeepsEveryCountWhateverTheWeightIs) {
  for (const std::uint64_t room : {7U, 49U, 98U, 1000U}) {  // 49 and 98 have no rate that says them
    Rig rig{statsd::Agent::graphite};
    for (int i = 0; i < 3000; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i % 700});
    rig.fold();
    rig.packer.begin_turn(3000 * (line_bytes + 12) / room / Packer::patience);
    const support::Tally tally = rig.tally();
    EXPECT_EQ(tally.timing_count_sum(duration), 3000u) << room;
    EXPECT_TRUE(tally.malformed.empty()) << tally.malformed[0];
    EXPECT_EQ(rig.ledger.totals().timings_accepted, 3000u);
  }
}

TEST(Packer, SaysARestThatNoRateCanSayInTwoLines) {
  Rig rig{statsd::Agent::etsy};
  for (int i = 0; i < 190; ++i) rig.recorder.success("https://a/", 5ms);
  rig.fold();
  rig.packer.begin_turn(8);  // 80 bytes for 190 lines: 98 in one, or better 97
  const std::string text = rig.datagrams().at(0);
  EXPECT_EQ(text.substr(text.find("notification.delivery.duration")),
            "notification.delivery.duration:5|ms|@0.010309278350515464\n"
            "notification.delivery.duration:5|ms|@0.010869565217391304\n"
            "notification.delivery.duration:5|ms");
}

TEST(Packer, ThinsNothingThatLeavesInTenTurns) {
  Rig rig{statsd::Agent::plain};
  for (int i = 0; i < 100; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i});
  rig.fold();
  rig.packer.begin_turn(100 * line_bytes / Packer::patience);
  EXPECT_EQ(rig.tally().timing_count(duration), 100u);
  EXPECT_EQ(rig.ledger.totals().left_out, 0u);
}

TEST(Packer, NeverThinsWhereALineHasWeight) {
  for (const statsd::Agent agent : {statsd::Agent::datadog, statsd::Agent::telegraf, statsd::Agent::netdata}) {
    Rig rig{agent};
    for (int i = 0; i < 100; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i});
    rig.fold();
    rig.packer.begin_turn(1);
    const support::Tally tally = rig.tally();
    ASSERT_EQ(tally.timings.size(), 1u);
    EXPECT_EQ(tally.timings.begin()->second.size(), 100u);
    EXPECT_EQ(rig.ledger.totals().left_out, 0u);
  }
}

TEST(Packer, GoesRoundTheSeries) {
  Rig rig{statsd::Agent::graphite, 300};
  for (int i = 0; i < 50; ++i) rig.recorder.success("https://a/", 5ms);
  rig.recorder.success("https://b/", 7ms);
  rig.fold();
  rig.packer.begin_turn(no_end);
  std::string first;
  for (int i = 0; i < 4 && rig.packer.fill(); ++i) first += std::string{rig.packer.bytes()} + "\n";
  EXPECT_NE(first.find("notification.delivery.duration:7|ms|#endpoint:b"), std::string::npos) << first;
  (void)rig.datagrams();
  EXPECT_EQ(rig.ledger.totals().timings_accepted, 51u);
}

TEST(Packer, TellsTheClientsOwnCountersOnce) {
  Rig rig{statsd::Agent::datadog};
  for (std::uint32_t number = 0; number < ledger::own_count; ++number) rig.ledger.record_own(number, 100 + number);
  EXPECT_FALSE(rig.packer.fill());
  rig.packer.tell_own();
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_EQ(rig.packer.bytes(),
            "datadog.dogstatsd.client.metrics:100|c|#client:cpp\n"
            "datadog.dogstatsd.client.packets_sent:101|c|#client:cpp\n"
            "datadog.dogstatsd.client.bytes_sent:102|c|#client:cpp\n"
            "datadog.dogstatsd.client.metric_dropped_on_receive:103|c|#client:cpp");
  EXPECT_FALSE(rig.packer.fill());
  rig.ledger.record_own(0, 150);
  rig.packer.tell_own();
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_TRUE(rig.packer.bytes().starts_with("datadog.dogstatsd.client.metrics:50|c|"));
  rig.packer.undo();
  rig.packer.tell_own();
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_TRUE(rig.packer.bytes().starts_with("datadog.dogstatsd.client.metrics:50|c|"));
}

TEST(Packer, LetsOwnCountersGoThatFitInNoDatagram) {
  Rig rig{statsd::Agent::plain, 200};
  rig.telemetry_suffix.assign(200, 'x');
  rig.ledger.record_own(0, 1);
  rig.ledger.owe_gauge(3);
  rig.packer.tell_own();
  EXPECT_EQ(rig.datagrams(), (std::vector<std::string>{"notification.active_tasks:3|g"}));
}

}  // namespace
}  // namespace event_metrics
