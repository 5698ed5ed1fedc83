#include "prometheus/updater.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

struct Rig {
  explicit Rig(PrometheusOptions wanted = {})
      : options{std::move(wanted)},
        families{std::make_unique<PrometheusFamilies>(registry)},
        deliveries{PrometheusUpdater::limits(options), [](bool) { return true; }},
        updater{options, listener, registry, families, deliveries, false} {}

  double attempts() { return families->series({}).attempts.Value(); }

  const PrometheusOptions options;
  const Listener listener{options.on_error};
  prometheus::Registry registry;
  std::unique_ptr<PrometheusFamilies> families;
  delivery::Deliveries deliveries;
  PrometheusUpdater updater;
};

TEST(PrometheusUpdater, ShowsEachDeliveryOnce) {
  Rig rig;
  for (double i = 1; i <= 3; ++i) {
    rig.deliveries.success("https://a.io/", 12ms);
    rig.deliveries.failed("https://a.io/");
    EXPECT_EQ(rig.attempts(), 2 * i - 2);
    rig.updater.update();
    EXPECT_EQ(rig.attempts(), 2 * i);
    rig.updater.update();
    EXPECT_EQ(rig.attempts(), 2 * i);
  }
}

TEST(PrometheusUpdater, UpdatesAgainEverySecondOnceStarted) {
  Rig rig;
  rig.updater.start();
  for (double i = 1; i <= 2; ++i) {
    rig.deliveries.failed("https://a.io/");
    EXPECT_TRUE(support::eventually([&] { return rig.attempts() == i; }));
  }
}

TEST(PrometheusUpdater, TellsThatTheNinthClientKnowsDurationsByPowerOfTwo) {
  std::vector<std::unique_ptr<Rig>> first;
  for (int i = 0; i < 8; ++i) first.push_back(std::make_unique<Rig>());
  std::vector<std::string> told;
  Rig ninth{{.on_error = [&told](std::string_view what) { told.emplace_back(what); }}};
  ninth.deliveries.success("https://a.io/", 12ms);
  ninth.updater.update();
  ninth.updater.update();
  EXPECT_EQ(ninth.attempts(), 1);
  EXPECT_EQ(told, (std::vector<std::string>{"prometheus: durations are kept by power of two only: no memory, or more "
                                            "than eight clients"}));
}

// As a child of a fork finds them, but for the fork.
TEST(PrometheusUpdater, BeginsWithZerosInAChild) {
  Rig rig;
  rig.deliveries.failed("https://a.io/");
  rig.updater.update();
  delivery::Deliveries own{PrometheusUpdater::limits(rig.options), [](bool) { return true; }};
  PrometheusUpdater child{rig.options, rig.listener, rig.registry, rig.families, own, true};
  EXPECT_EQ(rig.attempts(), 1);
  child.update();
  EXPECT_EQ(rig.attempts(), 0);
  own.failed("https://a.io/");
  child.update();
  EXPECT_EQ(rig.attempts(), 1);
}

}  // namespace
}  // namespace event_metrics
