// Once its thread and its endpoint have been seen, a call neither allocates nor enters the kernel. The thread is put
// under a filter that ends the process at its first system call, so a lock that had to wait would show as well. Not
// built with a sanitizer, which brings its own allocator and system calls.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/allocations.hpp"
#include "support/system_calls.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

const std::string urls[] = {"https://hooks.example.com/T0/secret", "https://user:pw@[::1]:8443/x", "no url at all",
                            "https://" + std::string(200, 'a') + ".example.com/"};

void all_calls(EventMetrics& metrics, int times) {
  for (int i = 0; i < times; ++i) {
    const std::string& url = urls[i % 4];
    metrics.record_delivery_success(url, std::chrono::milliseconds{i % 500});
    metrics.record_delivery_failure(url, 503);
    metrics.record_delivery_error(url);
    metrics.increment_active_tasks();
    metrics.decrement_active_tasks();
  }
}

// Not through Agent: its thread would allocate.
statsd::Options options(bool own_thread) {
  return {.agent = statsd::Agent::datadog,
          .address = "udp://127.0.0.1:9",
          .flush_interval = 1ms,
          .close_timeout = 0ms,
          .own_thread = own_thread,
          .on_error = [](std::string_view) {}};
}

TEST(CallingPath, AllocatesNothing) {
  StatsdEventMetrics metrics{options(false)};
  all_calls(metrics, 2000);
  const long before = support::allocations.load();
  all_calls(metrics, 100'000);
  EXPECT_EQ(support::allocations.load(), before);
}

TEST(CallingPath, TouchesNoNewPage) {
  StatsdEventMetrics metrics{options(false)};
  all_calls(metrics, 2000);
  rusage before{};
  rusage after{};
  ASSERT_EQ(::getrusage(RUSAGE_THREAD, &before), 0);
  all_calls(metrics, 100'000);
  ASSERT_EQ(::getrusage(RUSAGE_THREAD, &after), 0);
  EXPECT_EQ(after.ru_minflt - before.ru_minflt, 0);
}

TEST(CallingPath, FilterEndsAProcessThatCallsTheKernel) {
  const int status = support::filtered([] {}, [] { (void)::getppid(); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

TEST(CallingPath, MakesNoSystemCallWhileAnotherThreadFlushes) {
  StatsdEventMetrics* metrics = nullptr;
  const int status = support::filtered(
      [&] {
        metrics = new StatsdEventMetrics{options(true)};  // its thread is not under the filter
        all_calls(*metrics, 2000);
      },
      [&] { all_calls(*metrics, 200'000); });
  EXPECT_EQ(status, 0);
}

}  // namespace
