// What a call does, as far as it can be told from outside: recorder_calls.cpp has no header of its own.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

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
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 4U);
  ready.recorder.failed("https://user:pw@hook0" + path);
  ready.recorder.failed("https://hook0?x=" + path);
  EXPECT_EQ(failed(ready.recorder, 2), 2U);
  ready.recorder.failed("https://" + path);
  ready.recorder.failed("https://user@" + path);
  ready.recorder.failed("https://hook0\\@more" + path);
  ready.recorder.failed("hook0" + path);
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 4U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 4U);
  EXPECT_EQ(ready.recorder.endpoint_count(), 6U);
}

}  // namespace
}  // namespace event_metrics::record
