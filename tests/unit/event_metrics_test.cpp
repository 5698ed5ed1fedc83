#include "event_metrics/event_metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "event_metrics/mock_event_metrics.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Kind = MockEventMetrics::Kind;

constexpr const char* hook = "https://hooks.example.com/T0";

static_assert(!std::is_copy_constructible_v<EventMetrics>);
static_assert(!std::is_copy_assignable_v<EventMetrics>);
static_assert(std::has_virtual_destructor_v<EventMetrics>);

static_assert(!std::is_copy_constructible_v<ActiveTask> && !std::is_copy_assignable_v<ActiveTask>);
static_assert(std::is_nothrow_move_constructible_v<ActiveTask> && std::is_nothrow_move_assignable_v<ActiveTask>);
static_assert(!std::is_convertible_v<EventMetrics&, ActiveTask>);

static_assert(!std::is_copy_constructible_v<DeliveryAttempt> && !std::is_copy_assignable_v<DeliveryAttempt>);
static_assert(std::is_nothrow_move_constructible_v<DeliveryAttempt>);
static_assert(!std::is_move_assignable_v<DeliveryAttempt>, "the verdict of the target would be lost unseen");

// A URL that dies before the guard would be read after its end.
static_assert(!std::is_constructible_v<DeliveryAttempt, EventMetrics&, std::string>);
static_assert(!std::is_constructible_v<DeliveryAttempt, EventMetrics&, const std::string>);
static_assert(!std::is_constructible_v<DeliveryAttempt, EventMetrics&, const std::string&&>);
static_assert(std::is_constructible_v<DeliveryAttempt, EventMetrics&, std::string&>);
static_assert(std::is_constructible_v<DeliveryAttempt, EventMetrics&, const std::string&>);
static_assert(std::is_constructible_v<DeliveryAttempt, EventMetrics&, std::string_view>);
static_assert(std::is_constructible_v<DeliveryAttempt, EventMetrics&, const char (&)[9]>);
static_assert(std::is_constructible_v<DeliveryAttempt, EventMetrics&, const char*>);

// Lets a test play the forked child, and leaves the process as it was.
class InChild {
 public:
  InChild() { ++detail::fork_count; }
  InChild(const InChild&) = delete;
  InChild& operator=(const InChild&) = delete;
  ~InChild() { --detail::fork_count; }
};

TEST(ActiveTask, CountsWhileItLives) {
  MockEventMetrics metrics;
  {
    const ActiveTask one{metrics};
    EXPECT_EQ(metrics.active_task_count(), 1);
    const ActiveTask two{metrics};
    EXPECT_EQ(metrics.active_task_count(), 2);
  }
  EXPECT_EQ(metrics.active_task_count(), 0);
}

TEST(ActiveTask, EndsWhenAnExceptionLeaves) {
  MockEventMetrics metrics;
  try {
    const ActiveTask task{metrics};
    throw std::runtime_error{"handler failed"};
  } catch (const std::runtime_error&) {
    EXPECT_EQ(metrics.active_task_count(), 0);
  }
}

TEST(ActiveTask, MovedFromDoesNothing) {
  MockEventMetrics metrics;
  {
    std::optional<ActiveTask> from{std::in_place, metrics};
    const ActiveTask to{std::move(*from)};
    from.reset();
    EXPECT_EQ(metrics.active_task_count(), 1);
  }
  EXPECT_EQ(metrics.active_task_count(), 0);
  EXPECT_EQ(metrics.calls().size(), 2U);
}

TEST(ActiveTask, MoveAssignmentEndsTheTargetsTask) {
  MockEventMetrics mine;
  MockEventMetrics yours;
  {
    ActiveTask task{mine};
    task = ActiveTask{yours};
    EXPECT_EQ(mine.active_task_count(), 0);
    EXPECT_EQ(yours.active_task_count(), 1);
  }
  EXPECT_EQ(mine.calls().size(), 2U);
  EXPECT_EQ(yours.active_task_count(), 0);
}

TEST(ActiveTask, SelfMoveAssignmentKeepsTheTask) {
  MockEventMetrics metrics;
  {
    ActiveTask task{metrics};
    ActiveTask& same = task;
    task = std::move(same);
    EXPECT_EQ(metrics.active_task_count(), 1);
  }
  EXPECT_EQ(metrics.active_task_count(), 0);
}

TEST(ActiveTask, EndsOnAnotherThread) {
  MockEventMetrics metrics;
  ActiveTask task{metrics};
  std::thread{[task = std::move(task)] {}}.join();
  EXPECT_EQ(metrics.active_task_count(), 0);
}

TEST(ActiveTask, OfTheParentDoesNothingInAForkedChild) {
  MockEventMetrics metrics;
  std::optional<ActiveTask> task{std::in_place, metrics};
  const InChild child;
  task.reset();
  EXPECT_EQ(metrics.active_task_count(), 1);
}

TEST(ActiveTask, OfTheParentDoesNothingInAForkedChildAfterAMove) {
  MockEventMetrics metrics;
  ActiveTask task{metrics};
  const InChild child;
  { const ActiveTask moved{std::move(task)}; }
  EXPECT_EQ(metrics.active_task_count(), 1);
}

TEST(ActiveTask, OfAForkedChildCounts) {
  const InChild child;
  MockEventMetrics metrics;
  { const ActiveTask task{metrics}; }
  EXPECT_EQ(metrics.calls().size(), 2U);
}

TEST(DeliveryAttempt, SuccessRecordsTheDuration) {
  MockEventMetrics metrics;
  const auto before = std::chrono::steady_clock::now();
  DeliveryAttempt attempt{metrics, hook};
  std::this_thread::sleep_for(2ms);  // not waited for: a lower bound of what is measured
  attempt.success();
  const auto longest = std::chrono::steady_clock::now() - before;

  ASSERT_EQ(metrics.calls().size(), 1U);
  const MockEventMetrics::Call call = metrics.calls().front();
  EXPECT_EQ(call.kind, Kind::success);
  EXPECT_EQ(call.endpoint_url, hook);
  EXPECT_GE(call.duration, 2ms);
  EXPECT_LE(call.duration, longest);
}

TEST(DeliveryAttempt, DurationIsNeverNegative) {
  MockEventMetrics metrics;
  for (int i = 0; i < 1000; ++i) DeliveryAttempt{metrics, hook}.success();
  for (const MockEventMetrics::Call& call : metrics.calls()) EXPECT_GE(call.duration, 0ns);
}

TEST(DeliveryAttempt, FailureRecordsTheStatus) {
  MockEventMetrics metrics;
  DeliveryAttempt attempt{metrics, hook};
  attempt.failure(503);
  ASSERT_EQ(metrics.calls().size(), 1U);
  EXPECT_EQ(metrics.calls().front(),
            (MockEventMetrics::Call{.kind = Kind::failure, .endpoint_url = hook, .status_code = 503}));
}

TEST(DeliveryAttempt, ErrorRecordsAnError) {
  MockEventMetrics metrics;
  DeliveryAttempt attempt{metrics, hook};
  attempt.error();
  ASSERT_EQ(metrics.calls().size(), 1U);
  EXPECT_EQ(metrics.calls().front(), (MockEventMetrics::Call{.kind = Kind::error, .endpoint_url = hook}));
}

TEST(DeliveryAttempt, WithoutAVerdictIsAnError) {
  MockEventMetrics metrics;
  EXPECT_THROW(
      {
        const DeliveryAttempt attempt(metrics, hook);
        throw std::runtime_error{"connection reset"};
      },
      std::runtime_error);
  EXPECT_EQ(metrics.error_count(), 1);
  EXPECT_EQ(metrics.calls().size(), 1U);
}

TEST(DeliveryAttempt, CancelRecordsNothing) {
  MockEventMetrics metrics;
  {
    DeliveryAttempt attempt{metrics, hook};
    attempt.cancel();
  }
  EXPECT_TRUE(metrics.calls().empty());
}

TEST(DeliveryAttempt, TheFirstVerdictStands) {
  using Verdict = void (*)(DeliveryAttempt&);
  const Verdict verdicts[] = {
      [](DeliveryAttempt& attempt) { attempt.success(); },
      [](DeliveryAttempt& attempt) { attempt.failure(500); },
      [](DeliveryAttempt& attempt) { attempt.error(); },
      [](DeliveryAttempt& attempt) { attempt.cancel(); },
  };
  for (const Verdict first : verdicts) {
    MockEventMetrics alone;
    {
      DeliveryAttempt attempt{alone, hook};
      first(attempt);
    }
    for (const Verdict second : verdicts) {
      MockEventMetrics metrics;
      {
        DeliveryAttempt attempt{metrics, hook};
        first(attempt);
        second(attempt);
      }
      EXPECT_EQ(metrics.success_count(), alone.success_count());
      EXPECT_EQ(metrics.failure_count(), alone.failure_count());
      EXPECT_EQ(metrics.error_count(), alone.error_count());
    }
  }
}

TEST(DeliveryAttempt, MovedFromDoesNothing) {
  MockEventMetrics metrics;
  {
    std::optional<DeliveryAttempt> from{std::in_place, metrics, hook};
    DeliveryAttempt to{std::move(*from)};
    from->failure(500);
    from.reset();
    EXPECT_TRUE(metrics.calls().empty());
    to.success();
  }
  EXPECT_EQ(metrics.success_count(), 1);
  EXPECT_EQ(metrics.calls().size(), 1U);
}

TEST(DeliveryAttempt, MovedAfterItsVerdictRecordsNothingMore) {
  MockEventMetrics metrics;
  DeliveryAttempt attempt{metrics, hook};
  attempt.success();
  { const DeliveryAttempt moved{std::move(attempt)}; }
  EXPECT_EQ(metrics.calls().size(), 1U);
}

TEST(DeliveryAttempt, MoveKeepsTheStart) {
  MockEventMetrics metrics;
  DeliveryAttempt attempt{metrics, hook};
  std::this_thread::sleep_for(2ms);
  DeliveryAttempt moved{std::move(attempt)};
  moved.success();
  EXPECT_GE(metrics.calls().front().duration, 2ms);
}

TEST(DeliveryAttempt, TakesAStringThatOutlivesIt) {
  MockEventMetrics metrics;
  const std::string url{hook};
  DeliveryAttempt{metrics, url}.success();
  EXPECT_EQ(metrics.calls().front().endpoint_url, hook);
}

TEST(DeliveryAttempt, OfTheParentDoesNothingInAForkedChild) {
  MockEventMetrics metrics;
  DeliveryAttempt succeeds{metrics, hook};
  DeliveryAttempt fails{metrics, hook};
  DeliveryAttempt moves{metrics, hook};
  std::optional<DeliveryAttempt> dies{std::in_place, metrics, hook};

  const InChild child;
  succeeds.success();
  fails.failure(500);
  DeliveryAttempt{std::move(moves)}.error();
  dies.reset();
  EXPECT_TRUE(metrics.calls().empty());
}

TEST(DeliveryAttempt, OfAForkedChildRecords) {
  const InChild child;
  MockEventMetrics metrics;
  DeliveryAttempt{metrics, hook}.success();
  EXPECT_EQ(metrics.success_count(), 1);
}

}  // namespace
}  // namespace event_metrics
