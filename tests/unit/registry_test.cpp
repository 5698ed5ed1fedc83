#include "record/registry.hpp"
#include "unit/recording.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <latch>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "event_metrics/event_metrics.hpp"
#include "record/reading.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view url = "https://example.com/secret";

/// A recorder with memory ready, as an engine keeps it.
struct Client {
  Client() : recorder{{4, true, 2U << 20U}} { recorder.make_ready(); }

  Recording recorder;
};

struct Count {
  std::uint64_t failed = 0;
  std::uint64_t fine = 0;
  std::uint64_t coarse = 0;
};

Count count(Recording& recorder) {
  recorder.drain();
  Count count;
  for (std::uint32_t endpoint = 0; endpoint < recorder.endpoint_count(); ++endpoint) {
    Reading reading;
    reading.add(recorder.arena(), endpoint);
    count.failed += reading.tally();
    Reading::Sums sums{};
    for (unsigned chunk = 0; chunk < chunk_count; ++chunk) {
      if (!reading.chunk(chunk, sums)) continue;
      for (const std::uint64_t sum : sums) (chunk == octave_chunk ? count.coarse : count.fine) += sum;
    }
  }
  return count;
}

std::size_t address_space_pages() {
  std::size_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages;
  return pages;
}

TEST(Registry, LetsThreadsThatFollowEachOtherShareOnePlace) {
  Client client;
  const auto live = [&client] {
    client.recorder.success(url, 7ms);
    client.recorder.failed(url);
  };
  std::thread{live}.join();
  client.recorder.drain();
  const std::uint32_t taken = client.recorder.taken_lines();
  for (int i = 1; i < 1000; ++i) {
    std::thread{live}.join();
    client.recorder.drain();
  }

  EXPECT_EQ(client.recorder.taken_lines(), taken);
  EXPECT_EQ(count(client.recorder).fine, 1000U);
  EXPECT_EQ(count(client.recorder).failed, 1000U);
}

TEST(Registry, NeedsAPlaceForEachThreadAliveAtOnceAndNoMore) {
  Client client;
  constexpr int alive = 4;
  const auto round = [&client] {
    std::barrier all_have_a_place{alive};
    std::array<std::thread, alive> threads;
    for (std::thread& thread : threads) {
      thread = std::thread{[&] {
        client.recorder.success(url, 7ms);
        all_have_a_place.arrive_and_wait();
        client.recorder.success(url, 8ms);
      }};
    }
    for (std::thread& thread : threads) thread.join();
  };
  const std::uint32_t before = client.recorder.taken_lines();
  round();
  const std::uint32_t taken = client.recorder.taken_lines();
  EXPECT_EQ(taken - before, 776U);  // four times a block with its ring, which takes all that is recorded here
  for (int i = 1; i < 250; ++i) round();

  EXPECT_EQ(client.recorder.taken_lines(), taken);
  EXPECT_EQ(count(client.recorder).fine, 2000U);
}

// Counts go on from the last owner's, also when many hand over at once: a place with two owners would lose some.
TEST(Registry, HandsAPlaceFromThreadToThreadWithoutLosingCounts) {
  Client client;
  std::vector<std::thread> makers;
  for (int maker = 0; maker < 3; ++maker) {
    makers.emplace_back([&client] {
      for (int i = 0; i < 100; ++i) {
        std::thread{[&client] {
          for (int call = 0; call < 50; ++call) client.recorder.failed(url);
        }}.join();
      }
    });
  }
  for (std::thread& maker : makers) maker.join();
  EXPECT_EQ(count(client.recorder).failed, 15'000U);
}

TEST(Registry, GivesEightClientsAtOncePlacesOfTheirOwnAndLosesNothingOfTheOthers) {
  std::array<Client, 10> clients;
  std::barrier together{2};
  const auto record = [&] {
    for (int call = 0; call < 1000; ++call) {
      for (Client& client : clients) {
        client.recorder.success(url, 7ms);
        client.recorder.failed(url);
        client.recorder.active_task(1);
      }
    }
    // Nothing but shared words, each by itself, since the threads meet more often there.
    together.arrive_and_wait();
    for (int call = 0; call < 200'000; ++call) clients[9].recorder.failed(url);
    together.arrive_and_wait();
    for (int call = 0; call < 200'000; ++call) clients[9].recorder.success(url, 7ms);
    together.arrive_and_wait();
    for (int call = 0; call < 200'000; ++call) clients[9].recorder.active_task(1);
  };
  std::thread first{record};
  std::thread second{record};
  first.join();
  second.join();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const Count counted = count(clients[i].recorder);
    const std::uint64_t calls = i == 9 ? 402'000 : 2'000;
    EXPECT_EQ(counted.failed, calls) << i;
    EXPECT_EQ(counted.fine, i < 8 ? calls : 0) << i;
    EXPECT_EQ(counted.coarse, i < 8 ? 0 : calls) << i;
    EXPECT_EQ(clients[i].recorder.active_tasks().count, static_cast<std::int64_t>(calls)) << i;
  }
}

TEST(Registry, GivesTheSlotOfADestroyedClientToTheNext) {
  std::array<std::unique_ptr<Client>, 8> clients;
  for (auto& client : clients) client = std::make_unique<Client>();
  for (auto& client : clients) client->recorder.success(url, 7ms);
  clients[3].reset();
  Client next;
  next.recorder.success(url, 7ms);
  EXPECT_EQ(count(next.recorder).fine, 1U);
  clients[5]->recorder.success(url, 7ms);
  EXPECT_EQ(count(clients[5]->recorder).fine, 2U);
}

TEST(Registry, KeepsTwoClientsOfOneThreadApart) {
  Client one;
  Client other;
  for (int i = 0; i < 10; ++i) {
    one.recorder.success(url, 7ms);
    other.recorder.failed(url);
    other.recorder.active_task(1);
  }
  EXPECT_EQ(count(one.recorder).fine, 10U);
  EXPECT_EQ(count(one.recorder).failed, 0U);
  EXPECT_EQ(count(other.recorder).fine, 0U);
  EXPECT_EQ(count(other.recorder).failed, 10U);
  EXPECT_EQ(one.recorder.active_tasks().count, 0);
  EXPECT_EQ(other.recorder.active_tasks().count, 10);
}

// A second thread goes through all of them, so each slot and each lane is met again; and none of it is kept.
TEST(Registry, LetsAThousandClientsFollowEachOther) {
  constexpr int clients = 1000;
  std::unique_ptr<Client> client;
  std::barrier step{2};
  std::thread other{[&] {
    for (int i = 0; i < clients; ++i) {
      step.arrive_and_wait();  // there is a client
      client->recorder.success(url, 7ms);
      step.arrive_and_wait();  // it has been used
    }
  }};
  std::size_t early = 0;
  int wrong = 0;
  for (int i = 0; i < clients; ++i) {
    client = std::make_unique<Client>();
    step.arrive_and_wait();
    client->recorder.success(url, 8ms);
    step.arrive_and_wait();
    wrong += count(client->recorder).fine == 2 ? 0 : 1;
    client.reset();
    if (i == 20) early = address_space_pages();
  }
  other.join();
  EXPECT_EQ(wrong, 0);
  // Two megabytes each: if they were kept, there would be almost two gigabytes.
  EXPECT_LT(address_space_pages(), early + (512U << 20U) / 4096U);
}

bool mapped(const void* memory) {
  const auto page = reinterpret_cast<std::uintptr_t>(memory) / 4096 * 4096;
  unsigned char resident = 0;
  return ::mincore(reinterpret_cast<void*>(page), 4096, &resident) == 0;
}

// Each client is used by a thread of a pool, which lives on and meets none after it.
TEST(Registry, GivesBackTheMemoryOfAClientWhoseThreadsLiveOn) {
  std::latch over{1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    auto client = std::make_unique<Client>();
    const Block* block = nullptr;
    std::latch recorded{1};
    threads.emplace_back([&over, &client, &recorded, &block] {
      client->recorder.success(url, 7ms);
      block = this_thread.first_lane.block;
      recorded.count_down();
      over.wait();
      // Ends now, and has nowhere to say that its place is free.
    });
    recorded.wait();
    EXPECT_TRUE(mapped(block));
    client.reset();
    EXPECT_FALSE(mapped(block));
  }
  over.count_down();
  for (std::thread& thread : threads) thread.join();
}

TEST(Registry, LetsAThreadKeepUsingOneClientWhileAnotherIsDestroyed) {
  auto gone = std::make_unique<Client>();
  Client stays;
  std::latch recorded{1};
  std::latch destroyed{1};
  std::thread thread{[&] {
    gone->recorder.success(url, 7ms);
    stays.recorder.success(url, 7ms);
    recorded.count_down();
    destroyed.wait();
    stays.recorder.success(url, 7ms);
  }};
  recorded.wait();
  gone.reset();
  Client next;  // in the slot of the one that is gone
  destroyed.count_down();
  thread.join();
  EXPECT_EQ(count(stays.recorder).fine, 2U);
  EXPECT_EQ(count(next.recorder).fine, 0U);
}

/// Records when it is destroyed at the end of its thread.
struct Last {
  ~Last() {
    if (client == nullptr) return;
    client->recorder.success(url, 7ms);
    client->recorder.failed(url);
  }
  Client* client = nullptr;
};
thread_local Last last;

TEST(Registry, LosesNothingThatThreadLocalDestructorsRecord) {
  Client client;
  std::thread{[&client] {
    client.recorder.failed(url);
    last.client = &client;
  }}.join();
  std::thread{[&client] { last.client = &client; }}.join();  // the destructor's calls are this thread's first
  EXPECT_EQ(count(client.recorder).failed, 3U);
  EXPECT_EQ(count(client.recorder).fine, 2U);
}

/// A key whose destructor records, and asks to be called again, so that it also runs after the registry's own.
struct LateKey {
  LateKey() {
    EXPECT_EQ(::pthread_key_create(&key, [](void* value) { static_cast<LateKey*>(value)->run(); }), 0);
  }
  LateKey(const LateKey&) = delete;
  LateKey& operator=(const LateKey&) = delete;
  ~LateKey() { ::pthread_key_delete(key); }

  void run() {
    ++calls;
    if (this_thread.closed) ++calls_after_ours;
    client.recorder.success(url, 7ms);
    client.recorder.failed(url);
    client.recorder.active_task(1);
    if (++round < 3) ::pthread_setspecific(key, this);
  }

  Client client;
  pthread_key_t key{};
  int round = 0;
  std::uint64_t calls = 0;
  std::uint64_t calls_after_ours = 0;
};

TEST(Registry, LosesNothingThatIsRecordedAfterTheThreadGaveItsPlacesBack) {
  LateKey late;
  std::thread{[&late] {
    late.client.recorder.failed(url);
    ::pthread_setspecific(late.key, &late);
  }}.join();
  EXPECT_EQ(late.calls, 3U);
  ASSERT_GE(late.calls_after_ours, 2U);
  const Count counted = count(late.client.recorder);
  EXPECT_EQ(counted.failed, 4U);
  EXPECT_EQ(counted.fine + counted.coarse, 3U);
  EXPECT_EQ(counted.coarse, late.calls_after_ours);  // nobody would give back what such a thread took
  EXPECT_EQ(late.client.recorder.active_tasks().count, 3);
}

TEST(Registry, RaisesTheForkCountAndEmptiesLanesInAChild) {
  Client client;
  client.recorder.success(url, 7ms);
  const std::uint32_t forks = detail::forks();
  const pid_t child = ::fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    for (std::uint32_t slot = 0; slot < lane_count; ++slot) {
      const Lane& lane = this_thread.lane(slot);
      if (lane.id != nobody || lane.block != nullptr) ::_exit(1);
      if (this_thread.holdings->arenas[slot] != nullptr) ::_exit(3);
    }
    ::_exit(detail::forks() == forks + 1 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(detail::forks(), forks);
}

// A fork waits for the registry, so a child never finds it in the hands of a thread that it does not have.
TEST(Registry, IsFreeInAChildWhateverOtherThreadsWereDoing) {
  Client client;
  std::atomic<bool> stop{false};
  std::thread busy{[&] {
    while (!stop) {
      // So large that it is most of the time beginning, which it does with the registry in its hands.
      const Recording another{{20'000, false, 64U << 20U}};
    }
  }};
  int wrong = 0;
  for (int i = 0; i < 30; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);  // ends a child that waits for ever
      client.recorder.failed(url);
      ::_exit(0);
    }
    int status = -1;
    if (child == -1 || ::waitpid(child, &status, 0) != child || status != 0) ++wrong;
  }
  stop = true;
  busy.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(count(client.recorder).failed, 0U);
}

}  // namespace
}  // namespace event_metrics::record
