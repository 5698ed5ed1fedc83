#include "report.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
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

TEST(Report, TellsOnErrorAndSwallowsWhatItThrows) {
  std::vector<std::string> heard;
  Report::tell({"one", "two"}, [&](std::string_view message) {
    heard.emplace_back(message);
    throw std::runtime_error{"from on_error"};
  });
  EXPECT_EQ(heard, (std::vector<std::string>{"one", "two"}));
}

TEST(Report, WritesALineToStandardErrorWithoutOnError) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const int before = ::dup(STDERR_FILENO);
  ASSERT_GE(::dup2(ends[1], STDERR_FILENO), 0);
  Report::tell({"no agent listens"}, {});
  ASSERT_GE(::dup2(before, STDERR_FILENO), 0);
  ::close(before);
  ::close(ends[1]);
  std::string text(100, '\0');
  text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
  ::close(ends[0]);
  EXPECT_EQ(text, "event-metrics: no agent listens\n");
}

TEST(Report, DoesNotWaitForAPipeThatNobodyReads) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const std::string page(4096, 'x');
  while (::write(ends[1], page.data(), page.size()) > 0) continue;
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, 0), 0);  // from here on a write would wait
  const int before = ::dup(STDERR_FILENO);
  ASSERT_GE(::dup2(ends[1], STDERR_FILENO), 0);
  Report::tell({"no agent listens"}, {});
  ASSERT_GE(::dup2(before, STDERR_FILENO), 0);
  for (const int end : {before, ends[0], ends[1]}) ::close(end);
}

static_assert(static_cast<std::size_t>(Cause::left_behind) + 1 == cause_count);

}  // namespace
}  // namespace event_metrics
