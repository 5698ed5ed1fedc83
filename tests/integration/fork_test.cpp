// A forked child starts from zero and sends its own numbers; its parent goes on undisturbed.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Tally;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";

#if defined(__SANITIZE_THREAD__)
constexpr bool own_thread = false;  // ThreadSanitizer ends a child of a threaded parent that makes a thread
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool own_thread = false;
#else
constexpr bool own_thread = true;
#endif
#else
constexpr bool own_thread = true;
#endif

/// Runs `child` in a forked process and returns its exit status.
int in_child(const std::function<int()>& child) {
  const pid_t process = ::fork();
  if (process == 0) ::_exit(child());
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Fork, ChildStartsFromZeroAndSendsItsOwn) {
  const support::Agent agent;
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = own_thread}};
  for (int i = 0; i < 3; ++i) metrics.record_delivery_error(url);
  EXPECT_EQ(in_child([&] {
              if (metrics.stats().recorded != 0) return 1;
              for (int i = 0; i < 5; ++i) metrics.record_delivery_error(url);
              if (!metrics.flush(5s)) return 2;
              return metrics.stats().accepted == 5 ? 0 : 3;
            }),
            0);
  ASSERT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 5; }));
  EXPECT_EQ(agent.tally().gauges.size(), 0u);  // its tasks are the parent's until it counts one

  ASSERT_TRUE(metrics.flush(5s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 8; }));
  EXPECT_EQ(metrics.stats().accepted, 3u);
}

TEST(Fork, ChildThatRecordsNothingSendsNothingAndEnds) {
  const support::Agent agent;
  auto metrics = std::make_unique<StatsdEventMetrics>(statsd::Options{
      .agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = own_thread});
  metrics->record_delivery_error(url);
  EXPECT_EQ(in_child([&] {
              metrics.reset();
              return 0;
            }),
            0);
  ASSERT_TRUE(metrics->flush(5s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 1; }));
  EXPECT_EQ(agent.datagrams().size(), 1u);
}

TEST(Fork, GuardsDoNothingInTheChild) {
  const support::Agent agent;
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = own_thread}};
  auto task = std::make_unique<ActiveTask>(metrics);
  auto attempt = std::make_unique<DeliveryAttempt>(metrics, url);
  EXPECT_EQ(in_child([&] {
              task.reset();
              attempt.reset();
              return metrics.flush(5s) && metrics.stats().recorded == 0 ? 0 : 1;
            }),
            0);
  ASSERT_TRUE(metrics.flush(5s));
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.datagrams().front(), "notification.active_tasks:1|g");
}

TEST(Fork, ChildrenOfOneParentAddUp) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = agent.address(),
                              .flush_interval = 10ms,
                              .close_timeout = 5s,
                              .own_thread = own_thread}};
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      for (int call = 0; call < 1000; ++call) metrics.record_delivery_success(url, 12ms);
      ::_exit(metrics.flush(10s) ? 0 : 1);
    }
  }
  for (const pid_t child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) {
    return tally.counter(attempts) == 8000 &&
           tally.timing_count("notification.delivery.duration#endpoint:a.io") == 8000;
  }));
}

}  // namespace
