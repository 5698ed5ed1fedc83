// A service whose fork handlers take a lock forks while the thread that holds it meets the client for the first time.
// In a program of its own: the handlers must be registered before the first client is made.

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "event_metrics/statsd_event_metrics.hpp"
#include "support/agent.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

std::mutex service_lock;
std::atomic<bool> fork_waits{false};

TEST(ForkLock, DoesNotDeadlockWithALockOfTheService) {
  ::pthread_atfork(
      [] {
        fork_waits = true;
        service_lock.lock();
      },
      [] { service_lock.unlock(); }, [] { service_lock.unlock(); });

  const support::Agent agent;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::datadog, .address = agent.address(), .own_thread = false}};
  std::unique_lock lock{service_lock};
  std::thread forking{[] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
  }};
  while (!fork_waits) std::this_thread::yield();
  metrics.record_delivery_error("https://a.io/");
  lock.unlock();
  forking.join();
  EXPECT_TRUE(metrics.flush(5s));
}

}  // namespace
