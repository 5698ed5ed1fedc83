// A forked child starts from zero and sends its own numbers; its parent goes on undisturbed.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/load.hpp"
#include "support/process.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;
using support::Tally;

constexpr const char* url = "https://a.io/";
constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";

constexpr bool own_thread = support::children_may_have_threads;

int in_child(const std::function<int()>& work) { return support::Child{work}.status(); }

TEST(Fork, ChildStartsFromZeroAndSendsItsOwn) {
  const support::Agent agent;
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = own_thread}};
  for (int i = 0; i < 3; ++i) metrics.record_delivery_error(url);
  support::wait_until_other_threads_sleep();
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

/// Takes back the advice to wipe pages on a fork, wherever it was given: as if it had not been followed.
bool take_advice_back() {
  std::ifstream maps{"/proc/self/smaps"};
  std::string range;
  bool any = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) range = line;
    if (!line.starts_with("VmFlags:") || line.find(" wf") == std::string::npos) continue;
    const std::uintptr_t begin = std::stoul(range, nullptr, 16);
    const std::uintptr_t end = std::stoul(range.substr(range.find('-') + 1), nullptr, 16);
    any = ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_KEEPONFORK) == 0;
  }
  return any;
}

// QEMU's user mode says that it wipes, and does not.
TEST(Fork, ChildrenStartFromZeroWhereTheKernelDoesNotWipe) {
  const support::Agent agent;
  StatsdEventMetrics metrics{
      {.agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = own_thread}};
  const auto records = [&](int calls) {
    for (int call = 0; call < calls; ++call) metrics.record_delivery_error(url);
    return take_advice_back();
  };
  ASSERT_TRUE(records(70));
  support::wait_until_other_threads_sleep();
  EXPECT_EQ(in_child([&] {
              if (!records(3)) return 1;
              support::wait_until_other_threads_sleep();
              if (in_child([&] { return records(2) && metrics.flush(5s) ? 0 : 1; }) != 0) return 2;
              return metrics.flush(5s) && metrics.stats().accepted == 3 ? 0 : 3;
            }),
            0);
  ASSERT_TRUE(metrics.flush(5s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 75; }));
}

TEST(Fork, ChildThatRecordsNothingSendsNothingAndEnds) {
  const support::Agent agent;
  auto metrics = std::make_unique<StatsdEventMetrics>(statsd::Options{
      .agent = statsd::Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = own_thread});
  metrics->record_delivery_error(url);
  support::wait_until_other_threads_sleep();
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
  support::wait_until_other_threads_sleep();
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

// As servers do that fork before they serve. A gauge is one number, so each worker has a client with a tag for its own.
TEST(Fork, WorkersOfOneParentAddUpAndEachHasItsTasks) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = agent.address(),
                              .flush_interval = 10ms,
                              .close_timeout = 5s,
                              .own_thread = own_thread}};
  std::vector<std::unique_ptr<support::Child>> workers;
  support::wait_until_other_threads_sleep();
  for (int worker = 1; worker <= 8; ++worker) {
    workers.push_back(std::make_unique<support::Child>([&] {
      auto& tasks = *new StatsdEventMetrics{{.agent = statsd::Agent::datadog,
                                             .address = agent.address(),
                                             .tags = {{"worker", std::to_string(worker)}},
                                             .own_thread = own_thread}};  // never destroyed: its gauge would be 0
      for (int task = 0; task < worker; ++task) tasks.increment_active_tasks();
      for (int call = 0; call < 1000; ++call) metrics.record_delivery_success(url, 12ms);
      return metrics.flush(10s) && tasks.flush(10s) ? 0 : 1;
    }));
  }
  for (const auto& worker : workers) EXPECT_EQ(worker->status(), 0);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) {
    for (int worker = 1; worker <= 8; ++worker) {
      const auto gauge = tally.gauges.find("notification.active_tasks#worker:" + std::to_string(worker));
      if (gauge == tally.gauges.end() || gauge->second != worker) return false;
    }
    return tally.counter(attempts) == 8000 &&
           tally.timing_count("notification.delivery.duration#endpoint:a.io") == 8000;
  }));
}

// Forks come at any moment: while threads record, while one meets the client, in the middle of a turn.
TEST(Fork, ChildrenForkedUnderLoadAreExactAndSoIsTheirParent) {
  support::Agent agent{support::Agent::Way::unix_datagram};  // a busy machine drops none
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = agent.address(),
                              .flush_interval = 1ms,
                              .close_timeout = 0ms,
                              .own_thread = own_thread,
                              .on_error = [](std::string_view) {}}};
  support::Load load{metrics, 4};
  std::vector<std::unique_ptr<support::Child>> children;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(own_thread ? agent.wait_for_datagrams(agent.datagrams().size() + 10) : metrics.flush(10s));
    children.push_back(std::make_unique<support::Child>([&] {
      for (int call = 0; call < 1000; ++call) metrics.record_delivery_success(url, 12ms);
      return metrics.flush(20s) && metrics.stats().accepted == 1000 ? 0 : 1;
    }));
  }
  for (const auto& child : children) EXPECT_EQ(child->status(), 0);
  support::Sums expected = load.stop();
  expected += {8000, 0, 8000, 8000 * 12};
  ASSERT_TRUE(metrics.flush(20s));
  agent.leave();
  EXPECT_EQ(support::sums(agent.tally()), expected);
  EXPECT_EQ(agent.tally().counter(attempts), 8000);
}

TEST(Fork, ChildrenThatEndOrBecomeAnotherProgramSendNothingAndInheritNoSocket) {
  support::Agent agent{support::Agent::Way::unix_datagram};  // a busy machine drops none
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = agent.address(),
                              .flush_interval = 1ms,
                              .close_timeout = 0ms,
                              .own_thread = own_thread,
                              .on_error = [](std::string_view) {}}};
  support::Load load{metrics, 2};
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(own_thread ? agent.wait_for_datagrams(agent.datagrams().size() + 2) : metrics.flush(10s));
    EXPECT_EQ(in_child([] { return 0; }), 0);
    EXPECT_EQ(in_child([] {
                const int null = ::open("/dev/null", O_RDWR);
                for (int descriptor = 0; descriptor < 3; ++descriptor) (void)::dup2(null, descriptor);
                return ::execl("/bin/sh", "sh", "-c", "test -z \"$(ls -l /proc/self/fd/ | grep socket:)\"", nullptr);
              }),
              0);
  }
  const support::Sums recorded = load.stop();
  ASSERT_TRUE(metrics.flush(20s));
  agent.leave();
  EXPECT_EQ(support::sums(agent.tally()), recorded);
}

TEST(Fork, OnErrorMayStartAProgram) {
  std::string address;
  { address = support::Agent{}.address(); }
  std::atomic<int> status{-1};
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = address,
                              .flush_interval = 1ms,
                              .own_thread = own_thread,
                              .on_error = [&](std::string_view) { status = WEXITSTATUS(std::system("exit 7")); }}};
  metrics.record_delivery_error(url);
  EXPECT_TRUE(support::eventually([&] {
    (void)metrics.flush(10ms);
    return status == 7;
  }));
  const support::Agent agent{support::Agent::Way::udp4, address};
  ASSERT_TRUE(metrics.flush(20s));
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 1; }));
}

// The callback runs in the middle of a flush, whose locks the child must not find taken.
TEST(Fork, OnErrorMayForkAndItsChildRecordFlushAndEnd) {
  std::string address;
  { address = support::Agent{support::Agent::Way::localhost}.address(); }
  std::atomic<int> status{-1};
  std::unique_ptr<StatsdEventMetrics> metrics;
  metrics = std::make_unique<StatsdEventMetrics>(statsd::Options{
      .agent = statsd::Agent::datadog,
      .address = address,
      .flush_interval = 1ms,
      .own_thread = false,
      .on_error = [&](std::string_view) {
        if (status != -1) return;
        status = in_child([&] {
          status = 0;
          const support::Agent agent{support::Agent::Way::localhost, address};
          for (int i = 0; i < 5; ++i) metrics->record_delivery_error(url);
          if (!metrics->flush(10s)) return 1;
          return agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 5; }) ? 0 : 2;
        });
      }});
  metrics->record_delivery_error(url);
  EXPECT_TRUE(support::eventually([&] {
    (void)metrics->flush(10ms);
    return status != -1;
  }));
  EXPECT_EQ(status, 0);
}

int descriptors() {
  int count = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) count += ::fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

// Each child forks the next, as checkpointing and daemons in daemons do.
int generation(StatsdEventMetrics& metrics, int number, int descriptors_before) {
  return in_child([&metrics, number, descriptors_before] {
    metrics.record_delivery_error(url);
    if (!metrics.flush(5s)) return 1;
    if (descriptors() != descriptors_before) return 2;
    support::wait_until_other_threads_sleep();
    return number == 1 ? 0 : generation(metrics, number - 1, descriptors_before);
  });
}

void leaves_nothing_in_the_thirtieth_generation(support::Agent::Way way) {
  const support::Agent agent{way};
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = agent.address(),
                              .flush_interval = 60s,
                              .own_thread = own_thread,
                              .on_error = [](std::string_view) {}}};
  metrics.record_delivery_error(url);
  ASSERT_TRUE(metrics.flush(5s));
  support::wait_until_other_threads_sleep();
  EXPECT_EQ(generation(metrics, 30, descriptors()), 0);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 31; }));
}

TEST(Fork, LeavesNoDescriptorInAGenerationOverUdp) {
  leaves_nothing_in_the_thirtieth_generation(support::Agent::Way::udp4);
}
TEST(Fork, LeavesNoDescriptorInAGenerationOverIpv6) {
  leaves_nothing_in_the_thirtieth_generation(support::Agent::Way::udp6);
}
TEST(Fork, LeavesNoDescriptorInAGenerationOverAUnixSocket) {
  leaves_nothing_in_the_thirtieth_generation(support::Agent::Way::unix_datagram);
}

// A daemon closes what it inherits, and what it opens has the numbers of what it closed.
TEST(Fork, ChildLeavesFilesAloneThatHaveTheNumbersOfItsParentsSockets) {
  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog,
                              .address = agent.address(),
                              .flush_interval = 60s,
                              .own_thread = own_thread,
                              .on_error = [](std::string_view) {}}};
  metrics.record_delivery_error(url);
  ASSERT_TRUE(metrics.flush(5s));
  support::wait_until_other_threads_sleep();
  EXPECT_EQ(in_child([&] {
              (void)::close_range(3, ~0U, 0);
              const int file = ::open("/dev/null", O_RDONLY);
              for (int descriptor = file + 1; descriptor < 64; ++descriptor) (void)::dup2(file, descriptor);
              metrics.record_delivery_error(url);
              if (!metrics.flush(5s)) return 1;
              for (int descriptor = file; descriptor < 64; ++descriptor) {
                struct stat here {};
                if (::fstat(descriptor, &here) != 0 || !S_ISCHR(here.st_mode)) return 2;
              }
              return 0;
            }),
            0);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 2; }));
}

}  // namespace
