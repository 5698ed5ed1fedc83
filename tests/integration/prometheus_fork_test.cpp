// A forked child shows its own numbers in its copy of the registry, from zero; its parent goes on undisturbed.

#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "event_metrics/prometheus_event_metrics.hpp"
#include "support/child.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"
#include "support/shortage.hpp"

namespace {

using namespace event_metrics;

int in_child(const std::function<int()>& work) { return support::Child{work}.status(); }

bool shows(const prometheus::Registry& registry, const std::string& line) {
  const std::string text = prometheus::TextSerializer{}.Serialize(registry.Collect());
  return text.find('\n' + line + '\n') != std::string::npos;
}

class PrometheusFork : public testing::Test {
 protected:
  void SetUp() override {
    if (!support::children_may_have_threads) GTEST_SKIP() << "no threads in a child";
    for (int i = 0; i < 3; ++i) metrics->record_delivery_error("https://a.io/");
    metrics->increment_active_tasks();
    metrics->update();
    support::wait_until_other_threads_sleep();
  }

  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::unique_ptr<PrometheusEventMetrics> metrics = std::make_unique<PrometheusEventMetrics>(registry);
};

TEST_F(PrometheusFork, ChildStartsFromZeroAndItsParentGoesOn) {
  EXPECT_EQ(in_child([&] {
              for (int i = 0; i < 5; ++i) metrics->record_delivery_error("https://a.io/");
              metrics->update();
              if (!shows(*registry, "notification_delivery_failures_total 5")) return 1;
              if (!shows(*registry, "notification_active_tasks 0")) return 2;
              metrics.reset();
              return registry->Collect().empty() ? 0 : 3;
            }),
            0);
  metrics->record_delivery_error("https://a.io/");
  metrics->update();
  EXPECT_TRUE(shows(*registry, "notification_delivery_failures_total 4"));
  EXPECT_TRUE(shows(*registry, "notification_active_tasks 1"));
}

TEST_F(PrometheusFork, ChildThatFindsNoMemoryAtFirstLosesNothing) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own";
  EXPECT_EQ(in_child([&] {
              auto limit = support::no_memory();
              for (int i = 0; i < 5; ++i) metrics->record_delivery_error("https://a.io/");
              metrics->update();
              if (shows(*registry, "notification_delivery_failures_total 5")) return 1;
              limit.reset();
              metrics->record_delivery_error("https://a.io/");
              return support::eventually([&] {
                metrics->update();
                return shows(*registry, "notification_delivery_failures_total 6");
              })
                         ? 0
                         : 2;
            }),
            0);
}

TEST_F(PrometheusFork, ChildThatRecordsNothingEnds) {
  EXPECT_EQ(in_child([&] {
              metrics.reset();
              return 0;
            }),
            0);
}

TEST_F(PrometheusFork, ChildOfAChildStartsFromZeroToo) {
  EXPECT_EQ(in_child([&] {
              metrics->record_delivery_error("https://a.io/");
              metrics->update();
              return in_child([&] {
                metrics->record_delivery_error("https://a.io/");
                metrics->update();
                return shows(*registry, "notification_delivery_failures_total 1") ? 0 : 1;
              });
            }),
            0);
}

TEST_F(PrometheusFork, ChildFindsNoLockTakenThatAnUpdateWasHolding) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer's heap may be locked in a child whose parent was allocating";
  std::atomic<bool> done{false};
  std::thread updating{[&] {
    while (!done) {
      metrics->record_delivery_success("https://a.io/", std::chrono::milliseconds{12});
      metrics->update();
    }
  }};
  for (int i = 0; i < 200 && !HasFailure(); ++i) {
    EXPECT_EQ(in_child([&] {
                ::alarm(10);
                (void)registry->Collect();
                metrics->update();
                metrics.reset();
                return 0;
              }),
              0);
  }
  done = true;
  updating.join();
}

}  // namespace
