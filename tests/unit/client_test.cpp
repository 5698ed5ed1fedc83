#include "client/client.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "delivery/delivery_options.hpp"
#include "delivery/statsd_deliveries.hpp"
#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/names.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using statsd::Agent;

constexpr const char* url = "https://hooks.example.com/T0";

/// What `on_error` was told, from whichever thread.
class Ear {
 public:
  std::function<void(std::string_view)> hears() {
    return [this](std::string_view message) {
      const std::lock_guard lock{mutex_};
      messages_.emplace_back(message);
    };
  }
  std::vector<std::string> heard() const {
    const std::lock_guard lock{mutex_};
    return messages_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
};

/// As StatsdEventMetrics makes one.
struct Client : delivery::StatsdDeliveries {
  Client(statsd::Options options, const DeliveryOptions& delivery)
      : StatsdDeliveries{client_setup(std::move(options), delivery)} {}
};

std::string refusal(statsd::Options options, const DeliveryOptions& delivery = {}) {
  try {
    const Client client{std::move(options), delivery};
    return "accepted";
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
}

TEST(Client, BeginsAtAMomentOfItsOwn) {
  std::set<std::chrono::milliseconds::rep> firsts;
  for (int i = 0; i < 20; ++i) {
    const Engine::Clock::time_point before = Engine::Clock::now();
    Client client{{.agent = statsd::Agent::datadog,
                   .flush_interval = 60s,
                   .close_timeout = 0ms,
                   .own_thread = false,
                   .on_error = [](std::string_view) {}},
                  {}};
    const Engine::Clock::time_point first = client.poll();
    EXPECT_LE(first, Engine::Clock::now() + 60s);
    firsts.insert(std::chrono::duration_cast<std::chrono::milliseconds>(first - before).count() / 1000);
  }
  EXPECT_GT(firsts.size(), 5u);
}

TEST(Client, RefusesOptionsThatAreWrong) {
  EXPECT_NE(refusal({}).find("Options.agent is not set"), std::string::npos);
  EXPECT_NE(refusal({.agent = Agent::datadog, .address = "127.0.0.1:8125"}).find("udp://"), std::string::npos);
  EXPECT_NE(refusal({.agent = Agent::datadog, .flush_interval = 0ms}).find("flush_interval"), std::string::npos);
  EXPECT_NE(refusal({.agent = Agent::datadog, .max_datagram_bytes = 100}).find("max_datagram_bytes"),
            std::string::npos);
}

// As much an agent that is absent as one that nobody has started.
TEST(Client, IsMadeWithoutADescriptorAndSendsOnceThereIsOne) {
  const support::Agent agent;
  support::Child service{[&agent] {
    rlimit before{};
    (void)::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{3, before.rlim_max};
    (void)::setrlimit(RLIMIT_NOFILE, &none);
    std::string told;
    Client client{{.agent = Agent::datadog,
                   .address = agent.address(),
                   .own_thread = false,
                   .on_error = [&told](std::string_view what) { told = what; }},
                  {}};
    client.failed("https://a.io/");
    if (client.flush(20ms) || client.stats().connect_errors == 0) return 1;
    if (told.find("no connection (Too many open files)") == std::string::npos) return 2;
    (void)::setrlimit(RLIMIT_NOFILE, &before);
    return client.flush(10s) ? 0 : 3;
  }};
  EXPECT_EQ(service.status(), 0);
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.counter("notification.delivery.attempts#endpoint:a.io") == 1; }));
}

// A limit on memory, or a system that promises no more than it has: what needs none goes on, and the rest comes later.
TEST(Client, SendsWhatItHasMemoryForAndTheRestOnceThereIsSome) {
  const support::Agent agent;
  support::Child service{[&agent] {
    std::string told;
    Client client{{.agent = Agent::datadog,
                   .address = agent.address(),
                   .own_thread = false,
                   .on_error = [&told](std::string_view what) { told = what; }},
                  {}};
    client.failed("https://a.io/");
    if (!client.flush(10s)) return 1;
    rlimit before{};
    (void)::getrlimit(RLIMIT_DATA, &before);
    const rlimit none{4096, before.rlim_max};  // of memory that may be written, however much there is already
    (void)::setrlimit(RLIMIT_DATA, &none);
    for (const char* const one : {"https://b.io/", "https://c.io/", "https://d.io/", "https://e.io/"}) {
      for (int ms = 0; ms < 4000; ms += 64) client.success(one, std::chrono::milliseconds{ms});
    }
    client.failed("https://last.io/");
    if (client.flush(100ms)) return 2;
    if (told.find("a flush found no memory") == std::string::npos) return 3;
    const statsd::Stats short_of_memory = client.stats();
    if (short_of_memory.recorded - short_of_memory.timings_recorded != 2) return 4;  // the failures
    if (short_of_memory.owed != 0) return 7;
    (void)::setrlimit(RLIMIT_DATA, &before);
    if (!client.flush(10s)) return 5;
    return client.stats().timings_accepted == 4 * 63 && client.stats().coarse == 0 ? 0 : 6;
  }};
  EXPECT_EQ(service.status(), 0);
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.counter_sum("notification.delivery.successes") == 4 * 63; }));
}

TEST(Client, AllowsATagNamedEndpointWhereNoTagIsSent) {
  EXPECT_NO_THROW((Client{{.agent = Agent::plain,
                           .tags = {{"endpoint", "mine"}},
                           .close_timeout = 0ms,
                           .own_thread = false,
                           .on_error = [](std::string_view) {}},
                          {}}));
}

TEST(Client, RefusesMemoryThatTheFixedPartDoesNotFit) {
  const std::string refused = refusal({.agent = Agent::datadog, .max_memory_bytes = 1000});
  ASSERT_TRUE(refused.starts_with("Options.max_memory_bytes is 1000: write at least ")) << refused;
  const std::size_t least = std::stoul(refused.substr(refused.find("least ") + 6));
  EXPECT_EQ(refusal({.agent = Agent::datadog, .max_memory_bytes = least - 1}).substr(0, 7), "Options");
  Client client{
      {.agent = Agent::datadog, .max_memory_bytes = least, .own_thread = false, .on_error = [](std::string_view) {}},
      {}};
  EXPECT_LE(client.stats().memory_bytes, least + 4096);  // a page begun
}

TEST(Client, SendsFromItsOwnThreadEveryInterval) {
  const support::Agent agent;
  Client client{{.agent = Agent::datadog, .address = agent.address(), .flush_interval = 5ms}, {}};
  client.success(url, 12ms);
  EXPECT_TRUE(agent.wait_for([](const support::Tally& tally) {
    return tally.counter("notification.delivery.successes#endpoint:hooks.example.com") == 1;
  }));
  EXPECT_TRUE(agent.wait_for_datagrams(3));  // the gauge goes on
}

TEST(Client, SendsNothingByItselfWithoutAThread) {
  const support::Agent agent;
  Client client{{.agent = Agent::datadog, .address = agent.address(), .flush_interval = 1ms, .own_thread = false}, {}};
  client.success(url, 12ms);
  EXPECT_EQ(client.stats().recorded, 0u);
  Clock::time_point next = Clock::now();
  for (int turn = 0; turn < 1000 && client.stats().accepted == 0; ++turn) {
    std::this_thread::sleep_until(next);
    next = client.poll();
  }
  EXPECT_EQ(client.stats().accepted, 1u);
  EXPECT_TRUE(agent.wait_for_datagrams(1));
}

TEST(Client, PollsAreNotLateForTheFoldInALongInterval) {
  const support::Agent agent;
  Client client{{.agent = Agent::datadog, .address = agent.address(), .flush_interval = 60s, .own_thread = false}, {}};
  EXPECT_LE(client.poll(), Clock::now() + 60s);
  ASSERT_TRUE(client.flush(5s));
  EXPECT_LE(client.poll(), Clock::now() + 5s);  // a word may wrap within ten
}

TEST(Client, SendsAtDestructionWithALastGaugeOfZero) {
  const support::Agent agent;
  {
    Client client{{.agent = Agent::datadog, .address = agent.address(), .flush_interval = 60s, .close_timeout = 5s},
                  {}};
    client.success(url, 12ms);
    client.active_task(3);
  }
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.tally().counter("notification.delivery.successes#endpoint:hooks.example.com"), 1);
  EXPECT_EQ(agent.tally().gauges.at("notification.active_tasks"), 0);
}

TEST(Client, IsDestroyedWithinItsTimeWithoutAnAgentAndTellsWhatIsLeft) {
  std::string address;
  { address = support::Agent{}.address(); }
  Ear ear;
  Clock::time_point begin;
  {
    Client client{{.agent = Agent::datadog,
                   .address = address,
                   .flush_interval = 60s,
                   .close_timeout = 50ms,
                   .on_error = ear.hears()},
                  {}};
    client.success(url, 12ms);
    client.failed(url);
    begin = Clock::now();
  }
  EXPECT_GE(Clock::now() - begin, 50ms);
  EXPECT_LT(Clock::now() - begin, 10s);  // a bound against hanging, not a measurement
  ASSERT_EQ(ear.heard().size(), 2u);
  EXPECT_EQ(ear.heard()[0], address + ": no agent listens (Connection refused), 2 deliveries and 1 durations are kept");
  EXPECT_EQ(ear.heard()[1], address + ": 2 deliveries and 1 durations could not be sent before the end");
}

TEST(Client, IsConstructedWithoutAnAgentAndWithANameThatDoesNotResolve) {
  support::Names::instance().fail("no-such-host.test", EAI_NONAME);
  Ear ear;
  Client client{{.agent = Agent::datadog,
                 .address = "udp://no-such-host.test:8125",
                 .own_thread = false,
                 .on_error = ear.hears()},
                {}};
  client.failed(url);
  while (client.stats().connect_errors == 0) EXPECT_FALSE(client.flush(10ms));
  EXPECT_EQ(client.stats().owed, 1u);
  ASSERT_EQ(ear.heard().size(), 1u);
  EXPECT_NE(ear.heard()[0].find("udp://no-such-host.test:8125: no connection"), std::string::npos);
}

TEST(Client, FlushesEverythingRecordedBeforeByAnyThread) {
  const support::Agent agent{support::Agent::Way::unix_datagram};
  Client client{{.agent = Agent::datadog, .address = agent.address(), .flush_interval = 60s}, {}};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 100; ++call) client.success(url, std::chrono::milliseconds{call});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(client.flush(5s));
  EXPECT_EQ(client.stats().recorded, 400u);
  EXPECT_EQ(client.stats().accepted, 400u);
  EXPECT_EQ(client.stats().timings_accepted, 400u);
  EXPECT_TRUE(agent.wait_for([](const support::Tally& tally) {
    return tally.timing_count("notification.delivery.duration#endpoint:hooks.example.com") == 400;
  }));
}

TEST(Client, FlushesFromSeveralThreadsAtOnce) {
  const support::Agent agent;
  Client client{{.agent = Agent::datadog, .address = agent.address(), .flush_interval = 1ms}, {}};
  std::atomic<int> flushed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      client.failed(url);
      if (client.flush(10s)) ++flushed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(flushed, 4);
  EXPECT_EQ(client.stats().accepted, 4u);
}

TEST(Client, LetsOnErrorRecordAndFlush) {
  std::string address;
  { address = support::Agent{}.address(); }
  Client* self = nullptr;
  Client client{{.agent = Agent::datadog,
                 .address = address,
                 .own_thread = false,
                 .on_error =
                     [&](std::string_view) {
                       self->failed(url);
                       (void)self->flush(0ms);
                       (void)self->stats();
                     }},
                {}};
  self = &client;
  client.failed(url);
  EXPECT_FALSE(client.flush(20ms));
  (void)client.flush(0ms);
  EXPECT_EQ(client.stats().recorded, 2u);
}

TEST(Client, FlushTakesAnyTimeout) {
  const support::Agent agent{support::Agent::Way::unix_datagram};
  Client client{{.agent = Agent::datadog, .address = agent.address(), .own_thread = false}, {}};
  EXPECT_TRUE(client.flush(-1ms));
  EXPECT_TRUE(client.flush(std::chrono::milliseconds::max()));
}

// As a callback that blocks for minutes leaves it, see LosesNothingWhereACellPasses2To32.
TEST(Client, TellsTheAgentMoreThan2To32AtOnce) {
  const support::Agent agent{support::Agent::Way::unix_datagram};
  Client client{{.agent = Agent::datadog, .address = agent.address(), .own_thread = false}, {}};
  for (std::uint32_t call = 0; call <= record::ring_words; ++call) client.failed(url);
  record::this_thread.first_lane.block->rows[0]->tally[delivery::first_endpoint] += 0xFFFF'FFFFU;
  client.failed(url);
  ASSERT_TRUE(client.flush(10s));
  EXPECT_TRUE(agent.wait_for([](const support::Tally& tally) {
    return tally.counter_sum("notification.delivery.failures") == 4'294'968'321;
  }));
  EXPECT_EQ(client.stats().accepted, 4'294'968'321U);
}

TEST(Client, HasAPlaceForEachHostAtTheSmallestMemory) {
  const support::Agent agent{support::Agent::Way::unix_datagram};
  const std::string refused =
      refusal({.agent = Agent::datadog, .address = agent.address(), .max_memory_bytes = 1000}, {.max_endpoints = 200});
  Client client{{.agent = Agent::datadog,
                 .address = agent.address(),
                 .max_memory_bytes = std::stoul(refused.substr(refused.find("least ") + 6)),
                 .own_thread = false,
                 .on_error = [](std::string_view) {}},
                {.max_endpoints = 200}};
  const std::string long_host(200, 'h');
  for (int i = 0; i < 200; ++i) {
    client.success("https://" + std::to_string(i) + long_host + "/", std::chrono::milliseconds{i * 100});
    client.success("https://" + long_host + std::to_string(i % 2) + "/", 20 * 365 * 24h);
  }
  ASSERT_TRUE(client.flush(10s));
  EXPECT_EQ(client.stats().endpoints, 200u);
  EXPECT_EQ(client.stats().other, 2u);
  EXPECT_EQ(client.stats().beyond_range, 200u);
}

TEST(Client, StaysWithinItsMemoryAndKeepsCountsExact) {
  const support::Agent agent{support::Agent::Way::unix_datagram};
  Ear ear;
  constexpr std::size_t memory = 1U << 20U;
  Client client{{.agent = Agent::datadog,
                 .address = agent.address(),
                 .max_memory_bytes = memory,
                 .own_thread = false,
                 .on_error = ear.hears()},
                {}};
  for (int i = 0; i < 20'000; ++i) {
    client.success("https://host" + std::to_string(i % 50) + "/", std::chrono::milliseconds{i});
    if (i % 1000 == 0) (void)client.poll();
  }
  ASSERT_TRUE(client.flush(10s));
  EXPECT_EQ(client.stats().recorded, 20'000u);
  EXPECT_EQ(client.stats().timings_accepted, 20'000u);
  EXPECT_GT(client.stats().coarse, 0u);
  EXPECT_LE(client.stats().memory_bytes, memory);
  EXPECT_TRUE(agent.wait_for(
      [](const support::Tally& tally) { return tally.timing_count_sum("notification.delivery.duration") == 20'000; }));
  ASSERT_FALSE(ear.heard().empty());
  EXPECT_NE(ear.heard()[0].find("raise max_memory_bytes"), std::string::npos);
}

}  // namespace
}  // namespace event_metrics
