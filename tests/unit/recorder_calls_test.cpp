// What a call does, as far as it can be told from outside: recorder_calls.cpp has no header of its own.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "record/ring.hpp"
#include "unit/recorded.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

// The ring takes what it has room for, and the thread's own cells the rest; the order of both does not matter.
TEST(RecorderCalls, LosesNothingWhereARingIsFull) {
  Ready ready;
  constexpr std::uint32_t calls = 3 * ring_entries;
  for (std::uint32_t round = 1; round <= 3; ++round) {
    for (std::uint32_t i = 0; i < calls; ++i) {
      ready.recorder.success(url, std::chrono::milliseconds{i % 2000});
      ready.recorder.failed(url);
    }
    const Successes counted = successes(ready.recorder);
    EXPECT_EQ(counted.fine, round * calls);
    EXPECT_EQ(counted.coarse, 0U);
    EXPECT_EQ(failed(ready.recorder), round * calls);
  }
}

TEST(RecorderCalls, GoesOnInTheRingWhereItsLastOwnerStopped) {
  Ready ready;
  constexpr std::uint32_t calls = ring_entries / 3;  // each next thread begins somewhere else
  for (std::uint32_t round = 1; round <= 10; ++round) {
    std::thread{[&] {
      for (std::uint32_t i = 0; i < calls; ++i) ready.recorder.failed(url);
    }}.join();
    EXPECT_EQ(failed(ready.recorder), round * calls);
  }
}

TEST(RecorderCalls, FindsAnEndpointHoweverItsUrlIsWritten) {
  Ready ready;
  const std::string path = "/T000/B000/secret that makes the URL long";
  for (int i = 0; i < 3; ++i) {  // the second time they are known, the third their places are
    ready.recorder.failed("https://example.com" + path);
    ready.recorder.failed("https://example.com/");
    ready.recorder.failed("https://example.com");
    ready.recorder.failed("https://example.com?x=" + path);
    ready.recorder.failed("https://user:pw@example.com" + path);
    ready.recorder.failed("HTTPS://example.com" + path);
  }
  EXPECT_EQ(ready.recorder.endpoint_count(), 3U);
  EXPECT_EQ(failed(ready.recorder), 18U);
}

TEST(RecorderCalls, KnowsAnEndpointAgainWhereAnotherUrlLay) {
  Ready ready;
  const std::string path = "/T000/B000/secret that makes the URL long";
  std::string place;
  for (int i = 0; i < 300; ++i) {
    place.assign("https://hook" + std::to_string(i % 3) + ".example.com" + path);
    ready.recorder.failed(place);
  }
  EXPECT_EQ(ready.recorder.endpoint_count(), 5U);
  for (std::uint32_t endpoint = 2; endpoint < 5; ++endpoint) EXPECT_EQ(failed(ready.recorder, endpoint), 100U);
}

// When the table is full, a host that is not in it is `other` without more ado; what is no host is looked at closely.
TEST(RecorderCalls, TellsOtherInvalidAndKnownApartWhenTheTableIsFull) {
  Ready ready;
  const std::string path = "/T000/B000/secret that makes the URL long";
  for (int i = 0; i < 4; ++i) ready.recorder.success("https://hook" + std::to_string(i) + path, 1ms);
  ready.recorder.failed("https://more" + path);
  ready.recorder.failed("http://hook0" + path);  // another scheme is another endpoint
  ready.recorder.failed("https://user:pw@more" + path);
  ready.recorder.failed("https://more?x=" + path);
  ready.recorder.failed("https://more#x=" + path);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 5U);
  ready.recorder.failed("https://user:pw@hook0" + path);
  ready.recorder.failed("https://hook0?x=" + path);
  EXPECT_EQ(failed(ready.recorder, 2), 2U);
  ready.recorder.failed("https://" + path);
  ready.recorder.failed("https://user@" + path);
  ready.recorder.failed("https://hook0\\@more" + path);
  ready.recorder.failed("https://more\\x" + path);
  ready.recorder.failed("hook0" + path);
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 5U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 5U);
  EXPECT_EQ(ready.recorder.endpoint_count(), 6U);
}

// Each entry wants a chunk of its own, more than lay ready. The thread that drains can ready more, and does.
TEST(RecorderCalls, CountsWhatRingsHeldExactlyHoweverMuchMemoryItTakes) {
  Ready ready{{100, true, 64U << 20U}};
  constexpr int chunks = 63;  // of each of 64 endpoints
  std::vector<std::thread> threads;
  std::latch all_have_rings{8};
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&ready, &all_have_rings, thread] {
      ready.recorder.failed("https://hook0/");
      all_have_rings.arrive_and_wait();
      for (int i = 0; i < 8 * chunks; ++i) {
        const std::string endpoint = "https://hook" + std::to_string(thread * 8 + i / chunks) + "/";
        ready.recorder.success(endpoint, std::chrono::milliseconds{i % chunks * 64});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Successes counted;
  for (std::uint32_t endpoint = 2; endpoint < ready.recorder.endpoint_count(); ++endpoint) {
    const Successes more = successes(ready.recorder, endpoint);
    counted.fine += more.fine;
    counted.coarse += more.coarse;
  }
  EXPECT_EQ(counted.fine, 64U * chunks);
  EXPECT_EQ(counted.coarse, 0U);
}

// The late thread found no memory when it came. Others have left blocks since.
TEST(RecorderCalls, GivesAThreadThatCameWithoutMemoryABlockThatIsFree) {
  const std::size_t limit = Recorder::fixed_bytes(usual) + (256U << 10U);
  Ready ready{{usual.max_endpoints, true, limit}};
  std::latch filled{1};
  std::latch met{1};
  std::latch left{1};
  std::thread crowd{[&] {
    std::vector<std::thread> threads;
    std::latch all_there{16};
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        ready.recorder.failed(url);
        all_there.count_down();
        met.wait();
      });
    }
    all_there.wait();
    filled.count_down();
    for (std::thread& thread : threads) thread.join();
    left.count_down();
  }};
  std::uint64_t coarse_before = 0;
  std::uint64_t coarse_after = 0;
  std::thread late{[&] {
    filled.wait();
    ready.recorder.success(url, 7ms);
    met.count_down();
    left.wait();
    coarse_before = successes(ready.recorder).coarse;
    for (int i = 0; i < 1000; ++i) ready.recorder.success(url, 7ms);
    coarse_after = successes(ready.recorder).coarse;
  }};
  crowd.join();
  late.join();
  EXPECT_EQ(coarse_before, 1U);
  EXPECT_LT(coarse_after, 100U);
}

}  // namespace
}  // namespace event_metrics::record
