#include "base/report.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

const Report::Clock::time_point start{1h};

TEST(Report, IsDueOnceAMinuteForEachCause) {
  Report report;
  EXPECT_TRUE(report.due(Cause::refused, start));
  EXPECT_FALSE(report.due(Cause::refused, start + 59s));
  EXPECT_TRUE(report.due(Cause::delayed, start + 59s));
  EXPECT_TRUE(report.due(Cause::refused, start + 60s));
}

TEST(Report, HandsOutEachMessageOnce) {
  Report report;
  report.note("one");
  report.note("two");
  EXPECT_EQ(report.take(), (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(report.take().empty());
}

static_assert(static_cast<std::size_t>(Cause::left_behind) + 1 == cause_count);

}  // namespace
}  // namespace event_metrics
