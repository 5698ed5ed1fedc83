#include "client/packer.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "packer_rig.hpp"
#include "support/sanitizer.hpp"

namespace event_metrics {
namespace {

using Rig = PackerRig;

constexpr const char* duration = "notification.delivery.duration";
constexpr std::uint64_t line_bytes = 41;  // of a duration without tags, as the packer reckons

TEST(Packer, HasReservedWhatASeriesOfEveryDurationTakes) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer's heap does not tell its size";
  Rig rig{statsd::Agent::datadog};
  for (int ms = 0; ms < 5000; ++ms) {
    rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
    (void)rig.recorder.write_ahead();
  }
  rig.begin_round();
  ASSERT_EQ(rig.ledger.totals().coarse, 0u);
  const std::size_t heap = ::mallinfo2().uordblks;
  rig.packer.begin_turn(no_end);
  while (rig.packer.fill()) continue;
  EXPECT_EQ(::mallinfo2().uordblks, heap);
}

TEST(Packer, SaysWhatTheSchemaSays) {
  const Schema cache{.counters = {{"cache.misses", Schema::Counts::tallied}, {"cache.lookups", Schema::Counts::both}},
                     .observed = "cache.bytes",
                     .observed_kind = wire::Kind::distribution,
                     .level = "cache.open"};
  Rig rig{statsd::Agent::datadog, cache, 1432};
  rig.recorder.success("https://a/", 7ms);
  rig.recorder.success("https://a/", 7ms);
  rig.recorder.failed("https://a/");
  rig.begin_round();
  rig.ledger.owe_gauge(-3);
  EXPECT_EQ(rig.datagrams(), (std::vector<std::string>{"cache.open:-3|g\n"
                                                       "cache.misses:1|c|#endpoint:a\n"
                                                       "cache.lookups:3|c|#endpoint:a\n"
                                                       "cache.bytes:7|d|@0.5|#endpoint:a"}));
  rig.recorder.failed("https://a/");
  rig.fold();
  EXPECT_EQ(rig.datagrams(), (std::vector<std::string>{"cache.misses:1|c|#endpoint:a\n"
                                                       "cache.lookups:1|c|#endpoint:a"}));
}

TEST(Packer, SendsOneLineForNeighbouringTimingsWhereARateCounts) {
  Rig rig{statsd::Agent::etsy};
  for (const int ms : {10, 11, 11, 12, 100, 101, 103, 900})
    rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
  rig.begin_round();
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
  Rig rig{statsd::Agent::collectd};
  for (const int ms : {10, 11, 11, 12, 100, 101, 103, 900})
    rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
  rig.begin_round();
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
    rig.begin_round();
    rig.packer.begin_turn(3000 * (line_bytes + 12) / room / Packer::most_turns);
    const support::Tally tally = rig.tally();
    EXPECT_EQ(tally.timing_count_sum(duration), 3000u) << room;
    EXPECT_TRUE(tally.malformed.empty()) << tally.malformed[0];
    EXPECT_EQ(rig.ledger.totals().timings_accepted, 3000u);
  }
}

TEST(Packer, SaysARestThatNoRateCanSayInTwoLines) {
  Rig rig{statsd::Agent::etsy};
  for (int i = 0; i < 190; ++i) rig.recorder.success("https://a/", 5ms);
  rig.begin_round();
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
  rig.begin_round();
  rig.packer.begin_turn(100 * line_bytes / Packer::most_turns);
  EXPECT_EQ(rig.tally().timing_count(duration), 100u);
  EXPECT_EQ(rig.ledger.totals().left_out, 0u);
}

TEST(Packer, MergesNeighboursAlsoWhereALineHasWeight) {
  const auto told = [](statsd::Agent agent) {
    Rig rig{agent};
    for (int i = 0; i < 200; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i});
    rig.begin_round();
    rig.packer.begin_turn(1);
    const std::string text = rig.datagrams().at(0);
    EXPECT_EQ(rig.ledger.totals().timings_accepted + rig.ledger.totals().left_out, 200u);
    return text.substr(text.find(":", text.find(rig.series.schema().observed))) + ", left out " +
           std::to_string(rig.ledger.totals().left_out);
  };
  EXPECT_EQ(told(statsd::Agent::statsd_exporter), ":100|ms|@0.005|#endpoint:a, left out 0");
  EXPECT_EQ(told(statsd::Agent::gostatsd), ":100|ms|@0.005|#endpoint:a, left out 0");
  EXPECT_EQ(told(statsd::Agent::netdata), ":100|ms|@0.01, left out 100");
  EXPECT_EQ(told(statsd::Agent::telegraf), ":100|ms|@0.1|#endpoint:a, left out 190");
}

// Whose lines tell all equal durations: what is owed is no more for waiting, and one megabyte may always wait.
TEST(Packer, MergesLateWhereALinesWeightHasNoLimit) {
  for (const statsd::Agent agent : {statsd::Agent::datadog, statsd::Agent::cloudwatch, statsd::Agent::vector}) {
    Rig rig{agent, 1432, std::string(150, 'x')};
    const auto lines = [&] {
      rig.begin_round();
      rig.packer.begin_turn(1, 1);
      std::size_t count = 0;
      for (const std::string& datagram : rig.datagrams()) {
        for (std::size_t at = 0; (at = datagram.find("|ms", at)) != std::string::npos; ++at) ++count;
      }
      return count;
    };
    const auto record = [&](int endpoints) {
      for (int endpoint = 0; endpoint < endpoints; ++endpoint) {
        for (int ms = 0; ms < 4000; ++ms) {
          rig.recorder.success("https://" + std::to_string(endpoint) + "/", std::chrono::milliseconds{ms});
          if (ms % 500 == 0) (void)rig.recorder.write_ahead();
        }
      }
    };
    record(1);
    EXPECT_EQ(lines(), 4000u);
    record(2);
    EXPECT_EQ(lines(), 4000u);
    EXPECT_EQ(rig.ledger.totals().left_out, 0u);
  }
}

// Equal durations that one line can tell need no merging with others.
TEST(Packer, ReckonsWithTheWeightOfALine) {
  Rig rig{statsd::Agent::netdata};
  for (int i = 0; i < 900; ++i) rig.recorder.success("https://a/", 5ms);
  for (int i = 0; i < 10; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{100 + i});
  rig.begin_round();
  rig.packer.begin_turn(21 * line_bytes / Packer::most_turns);
  int lines = 0;
  for (const std::string& datagram : rig.datagrams()) {
    for (std::size_t at = 0; (at = datagram.find("|ms", at)) != std::string::npos; ++at) ++lines;
  }
  EXPECT_EQ(lines, 19);
  EXPECT_EQ(rig.ledger.totals().timings_accepted, 910u);
}

TEST(Packer, MergesEarlierWhereFewTurnsAreLeft) {
  for (const auto& [turns, lines] : {std::pair{10U, 100U}, std::pair{8U, 50U}, std::pair{4U, 25U}}) {
    Rig rig{statsd::Agent::collectd};
    for (int i = 0; i < 100; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i});
    rig.begin_round();
    rig.packer.begin_turn(100 * line_bytes / Packer::most_turns, turns);
    EXPECT_EQ(rig.tally().timing_count(duration), lines) << turns;
  }
}

TEST(Packer, MakesRoomForWhatWasRecordedSinceTheRoundBegan) {
  Rig rig{statsd::Agent::collectd};
  for (int i = 0; i < 100; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i});
  rig.begin_round();
  for (int i = 0; i < 100; ++i) rig.recorder.success("https://a/", std::chrono::milliseconds{i});
  rig.fold();
  rig.packer.begin_turn(100 * line_bytes / Packer::most_turns);
  EXPECT_EQ(rig.tally().timing_count(duration), 50u);  // and no more than the round's
  EXPECT_EQ(rig.ledger.totals().timings_owed(), 100u);
}

TEST(Packer, GoesRoundTheSeries) {
  Rig rig{statsd::Agent::graphite, 300};
  for (int i = 0; i < 500; ++i) rig.recorder.success("https://a/", 5ms);
  rig.recorder.success("https://b/", 7ms);
  rig.begin_round();
  rig.packer.begin_turn(no_end);
  std::string all;
  while (rig.packer.fill()) all += std::string{rig.packer.bytes()} + "\n";
  std::vector<std::string> values;
  for (std::size_t at = 0; (at = all.find("duration:", at)) != std::string::npos;)
    values.push_back(all.substr(at += 9, 1));
  EXPECT_EQ(values.size(), 501u);
  EXPECT_LE(std::find(values.begin(), values.end(), "7") - values.begin(), 64);
}

TEST(Packer, TellsTheClientsOwnCountersOnce) {
  Rig rig{statsd::Agent::datadog};
  for (std::uint32_t number = 0; number < ledger::telemetry_count; ++number)
    rig.ledger.record_telemetry(number, 100 + number);
  EXPECT_FALSE(rig.packer.fill());
  rig.packer.tell_telemetry();
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_EQ(rig.packer.bytes(),
            "datadog.dogstatsd.client.metrics:100|c|#client:cpp\n"
            "datadog.dogstatsd.client.packets_sent:101|c|#client:cpp\n"
            "datadog.dogstatsd.client.bytes_sent:102|c|#client:cpp\n"
            "datadog.dogstatsd.client.metric_dropped_on_receive:103|c|#client:cpp");
  EXPECT_FALSE(rig.packer.fill());
  rig.ledger.record_telemetry(0, 150);
  rig.packer.tell_telemetry();
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_TRUE(rig.packer.bytes().starts_with("datadog.dogstatsd.client.metrics:50|c|"));
  rig.packer.undo();
  rig.packer.tell_telemetry();
  ASSERT_TRUE(rig.packer.fill());
  EXPECT_TRUE(rig.packer.bytes().starts_with("datadog.dogstatsd.client.metrics:50|c|"));
}

TEST(Packer, LetsOwnCountersGoThatFitInNoDatagram) {
  Rig rig{statsd::Agent::plain, 200};
  rig.telemetry_suffix.assign(200, 'x');
  rig.ledger.record_telemetry(0, 1);
  rig.ledger.owe_gauge(3);
  rig.packer.tell_telemetry();
  EXPECT_EQ(rig.datagrams(), (std::vector<std::string>{"notification.active_tasks:3|g"}));
}

}  // namespace
}  // namespace event_metrics
