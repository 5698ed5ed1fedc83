#include "client/engine.hpp"

#include <dirent.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "delivery/delivery_keys.hpp"
#include "delivery/endpoint_labels.hpp"
#include "support/agent.hpp"
#include "unit/recording.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

/// A line of /proc/self/task/*/status of the thread with this name; empty when there is no such thread.
std::string status_of_thread(const std::string& name, const std::string& field) {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks{::opendir("/proc/self/task"), ::closedir};
  while (const dirent* const task = ::readdir(tasks.get())) {
    std::ifstream status{"/proc/self/task/" + std::string{task->d_name} + "/status"};
    std::string line;
    std::getline(status, line);
    if (line != "Name:\t" + name) continue;
    while (std::getline(status, line)) {
      if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
    }
  }
  return {};
}

struct Rig {
  explicit Rig(std::string address)
      : options{.agent = statsd::Agent::datadog, .address = std::move(address), .on_error = [](std::string_view) {}},
        recorder{{.max_endpoints = 10, .by_endpoint = false, .memory_bytes = 16U << 20U}},
        engine{listener, setup(), series(), recorder.recorder(), labels} {}

  Flush::Setup setup() const {
    return {.rules = wire::rules_of(options.agent),
            .address = transport::parse_address(options.address),
            .datagram_limit = 1432,
            .rows = 10 + delivery::first_endpoint,
            .interval = 60s,
            .phase = 60s,
            .keep_for = 0s,
            .by_endpoint = false,
            .longest_suffix = 300,
            .telemetry_suffix = "",
            .in_child = false};
  }
  DeliverySeries series() const {
    const wire::AgentRules& rules = wire::rules_of(options.agent);
    return {rules, delivery_schema(delivery_keys(rules, ""), false), {}, false, 1432};
  }

  statsd::Options options;
  const Listener listener{options.on_error};
  Recording recorder;
  const delivery::EndpointLabels labels{recorder};
  Engine engine;
};

TEST(Engine, CanBeDestroyedWhileItRuns) {
  Rig rig{"unix:///nowhere.sock"};
  rig.engine.start();
}

TEST(Engine, ThreadIsNamedAndBlocksAllSignalsWhileItsMakersMaskStaysAsItWas) {
  const support::Agent agent;
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Rig rig{agent.address()};
  rig.engine.start();
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(::sigismember(&after, SIGTERM), ::sigismember(&before, SIGTERM));
  const std::uint64_t blocked = std::stoull(status_of_thread("event-metrics", "SigBlk"), nullptr, 16);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGPIPE}) {
    EXPECT_TRUE((blocked >> (static_cast<unsigned>(signal) - 1)) & 1U) << signal;
  }
  rig.engine.close(Engine::deadline(5s));
  EXPECT_EQ(status_of_thread("event-metrics", "SigBlk"), "");  // it has ended
}

TEST(Engine, StatsAreThoseOfTheLastTurnAndNeedNone) {
  const support::Agent agent;
  Rig rig{agent.address()};
  rig.recorder.failed("https://a.io/");
  EXPECT_EQ(rig.engine.stats().recorded, 0u);
  EXPECT_GT(rig.engine.stats().memory_bytes, 0u);
  EXPECT_TRUE(rig.engine.flush(Engine::deadline(5s)));
  EXPECT_EQ(rig.engine.stats().recorded, 1u);
  EXPECT_EQ(rig.engine.stats().accepted, 1u);
  rig.engine.close(Engine::deadline(5s));
}

TEST(Engine, TellsOnErrorWithNoLockHeld) {
  std::string address;
  { address = support::Agent{}.address(); }
  Rig rig{address};
  std::promise<void> entered;
  std::promise<void> leave;
  rig.options.on_error = [&](std::string_view) {
    entered.set_value();
    leave.get_future().wait();
  };
  rig.recorder.failed("https://a.io/");
  std::thread other{[&] { EXPECT_FALSE(rig.engine.flush(Engine::deadline(0ms))); }};
  entered.get_future().wait();
  // The other flusher sits in on_error, where it holds no lock: a turn can be had.
  EXPECT_FALSE(rig.engine.flush(Engine::deadline(20ms)));
  EXPECT_EQ(rig.engine.stats().owed, 1u);
  leave.set_value();
  other.join();
  rig.options.on_error = [](std::string_view) {};
  rig.engine.close(Engine::deadline(0ms));
}

}  // namespace
}  // namespace event_metrics
