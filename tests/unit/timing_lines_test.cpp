#include "client/timing_lines.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "packer_rig.hpp"

namespace event_metrics {
namespace {

/// The durations of one endpoint, to an agent whose rate counts, as lines that nobody packs.
struct Durations {
  Durations(const std::vector<int>& milliseconds, std::uint64_t turn_bytes) {
    for (const int ms : milliseconds) rig.recorder.success("https://a/", std::chrono::milliseconds{ms});
    rig.begin_round();
    lines.begin_turn(turn_bytes, TimingLines::most_turns);
  }
  /// As `value*weight`, and the durations that it carries.
  std::string next(std::size_t room) {
    const auto line = lines.next(room);
    if (!line) return "none";
    std::string text = std::to_string(line->value) + "*" + std::to_string(line->weight) + " of";
    for (const ledger::Share& share : lines.shares()) {
      text += " " + std::to_string(record::value_of(share.item)) + "*" + std::to_string(share.count);
    }
    return text;
  }
  void tell() {
    for (const ledger::Share& share : lines.shares()) rig.ledger.commit(share);
    lines.told();
  }

  PackerRig rig{statsd::Agent::etsy};
  TimingLines lines{wire::rules_of(statsd::Agent::etsy), rig.series, rig.ledger, 100};
};

TEST(TimingLines, RepeatsALineUntilItHasBeenTold) {
  Durations durations{{5, 9}, no_end};
  const std::string first = durations.next(100);
  EXPECT_EQ(durations.next(100), first);
  durations.tell();
  EXPECT_NE(durations.next(100), first);
  durations.tell();
  EXPECT_EQ(durations.next(100), "none");
}

TEST(TimingLines, SaysOfSeveralDurationsTheOneInTheMiddle) {
  Durations durations{{10, 11, 11, 12, 13}, 1};
  EXPECT_EQ(durations.next(100), "11*5 of 10*1 11*2 12*1 13*1");
}

TEST(TimingLines, MergesNoMoreDurationsThanThereIsRoomForTheirShares) {
  Durations durations{{10, 11, 11, 12, 13}, 1};
  EXPECT_EQ(durations.next(4), "11*4 of 10*1 11*2 12*1");  // one more may be left out
  EXPECT_EQ(durations.next(1), "10*1 of 10*1");
}

}  // namespace
}  // namespace event_metrics
