#include "delivery/deliveries.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "record/registry.hpp"
#include "record/ring.hpp"
#include "unit/recorded.hpp"

namespace event_metrics::record {
namespace {

using namespace std::chrono_literals;

TEST(Deliveries, TellsEndpointsApart) {
  Ready ready;
  ready.recorder.failed("https://a.example.com/1");
  ready.recorder.failed("https://b.example.com/1");
  ready.recorder.failed("https://a.example.com/2");
  EXPECT_EQ(ready.recorder.endpoint_count(), 4U);
  EXPECT_EQ(ready.recorder.label(2), "a.example.com");
  EXPECT_EQ(ready.recorder.label(3), "b.example.com");
  EXPECT_EQ(failed(ready.recorder, 2), 2U);
  EXPECT_EQ(failed(ready.recorder, 3), 1U);
}

TEST(Deliveries, CountsWhatIsNoUrlAsInvalid) {
  Ready ready;
  ready.recorder.failed("example.com/secret");
  ready.recorder.success("", 7ms);
  EXPECT_EQ(ready.recorder.endpoint_count(), 2U);
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 1U);
  EXPECT_EQ(cells(ready.recorder, invalid_endpoint), (Cells{{7, 1}}));
}

TEST(Deliveries, CountsEndpointsBeyondTheMostAsOther) {
  Ready ready;
  for (int i = 0; i < 7; ++i) ready.recorder.failed("https://hook" + std::to_string(i) + "/");
  EXPECT_EQ(ready.recorder.endpoint_count(), 6U);  // four of their own
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 3U);
  ready.recorder.failed("https://hook0/");  // the first seen keep theirs
  EXPECT_EQ(failed(ready.recorder, 2), 2U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 3U);
}

TEST(Deliveries, DoesNotLookAtUrlsWhenItDoesNotCountByEndpoint) {
  Ready ready{{1, false, 1U << 20U}};
  ready.recorder.failed(url);
  ready.recorder.failed("no url");
  EXPECT_EQ(ready.recorder.endpoint_count(), 2U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 2U);
}

// The ring takes what it has room for, and the thread's own cells the rest; the order of both does not matter.
TEST(Deliveries, LosesNothingWhereARingIsFull) {
  Ready ready;
  constexpr std::uint32_t calls = 3 * ring_words;
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

TEST(Deliveries, GoesOnInTheRingWhereItsLastOwnerStopped) {
  Ready ready;
  constexpr std::uint32_t calls = ring_words / 3;  // each next thread begins somewhere else
  for (std::uint32_t round = 1; round <= 10; ++round) {
    std::thread{[&] {
      for (std::uint32_t i = 0; i < calls; ++i) ready.recorder.failed(url);
    }}.join();
    EXPECT_EQ(failed(ready.recorder), round * calls);
  }
}

TEST(Deliveries, FindsAnEndpointHoweverItsUrlIsWritten) {
  Ready ready;
  const std::string path = "/T000/B000/secret that makes the URL long";
  const std::vector<std::string> urls = {"https://example.com" + path,
                                         "https://example.com/",
                                         "https://example.com",
                                         "https://example.com?x=" + path,
                                         "https://user:pw@example.com" + path,
                                         "HTTPS://example.com" + path,
                                         "http://example.com" + path,
                                         "ws://example.com" + path,
                                         "wss://example.com:443" + path,
                                         "https://example.com:443" + path,
                                         "http://example.com:80" + path,
                                         "https://EXAMPLE.com" + path,
                                         "https://example.com." + path,
                                         " https://example.com" + path,
                                         "https://example.com\r\n",
                                         "https://example.com:0443?x=" + path,
                                         "https://example.com.:" + path,
                                         "ftp://example.com#" + path};
  for (int i = 0; i < 3; ++i) {  // the second time they are known, the third their places are
    for (const std::string& each : urls) ready.recorder.failed(each);
  }
  EXPECT_EQ(ready.recorder.endpoint_count(), 3U);
  EXPECT_EQ(ready.recorder.label(2), "example.com");
  EXPECT_EQ(failed(ready.recorder), 3 * urls.size());
}

TEST(Deliveries, FindsALongOrForeignNameHoweverItIsWritten) {
  Ready ready;
  const std::string path = "/T000/B000/secret that makes the URL long";
  const std::string name = "a-name-that-does-not-fit-in-one-block";
  for (int i = 0; i < 3; ++i) {
    ready.recorder.failed("https://" + name + ".example.com" + path);
    ready.recorder.failed("http://" + name + ".EXAMPLE.com." + path);
    ready.recorder.failed("https://" + name + ".example.com:443" + path);
    ready.recorder.failed("https://m\u00fcnchen.example" + path);
    ready.recorder.failed("https://xn--mnchen-3ya.example" + path);
    ready.recorder.failed("https://XN--MNCHEN-3YA.example" + path);
    ready.recorder.failed("https://m\u00e4nchen.example" + path);
  }
  EXPECT_EQ(ready.recorder.endpoint_count(), 5U);
  EXPECT_EQ(failed(ready.recorder, 2), 9U);
  EXPECT_EQ(failed(ready.recorder, 3), 9U);
  EXPECT_EQ(failed(ready.recorder, 4), 3U);
}

// A port is one of its scheme: the same text is another endpoint under another scheme, whichever came first.
TEST(Deliveries, TellsPortsApartBySchemeWhateverCameFirst) {
  const std::string path = "/T000/B000/secret that makes the URL long";
  const std::vector<std::string> urls = {"https://a.io:443", "http://a.io:443", "https://a.io:80", "http://a.io:80"};
  for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 2, 0, 3}}) {
    Ready ready;
    for (int i = 0; i < 3; ++i) {
      for (const std::size_t which : order) ready.recorder.failed(urls[which] + path);
    }
    EXPECT_EQ(ready.recorder.endpoint_count(), 5U);
    for (std::uint32_t endpoint = 2; endpoint < 5; ++endpoint) {
      EXPECT_EQ(failed(ready.recorder, endpoint), ready.recorder.label(endpoint) == "a.io" ? 6U : 3U);
    }
  }
}

TEST(Deliveries, GivesPlacesToHostsAndNotToSpellings) {
  Ready ready;  // four places
  for (int i = 0; i < 100; ++i) {
    ready.recorder.failed("https://a.io:443?" + std::to_string(i));
    ready.recorder.failed("https://user" + std::to_string(i) + "@a.io/");
    ready.recorder.failed("https://a.io secret" + std::to_string(i) + "/");
    std::string spelling = "https://aaaaaaa.io/";
    for (std::size_t bit = 0; bit < 7; ++bit) {
      if ((i >> bit & 1) != 0) spelling[8 + bit] = 'A';
    }
    ready.recorder.failed(spelling);
  }
  EXPECT_EQ(ready.recorder.endpoint_count(), 4U);
  EXPECT_EQ(failed(ready.recorder, 2), 200U);
  EXPECT_EQ(failed(ready.recorder, 3), 100U);
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 100U);
  for (const char* const late : {"https://b.io/", "https://c.io/", "https://d.io/"}) ready.recorder.failed(late);
  EXPECT_EQ(ready.recorder.endpoint_count(), 6U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 1U);
}

// What an attacker can send without end, and any other spelling of a host that has been seen.
TEST(Deliveries, NeitherLocksNorTakesMemoryForWhatIsNoNewHost) {
  Ready ready;
  std::latch met{1};
  std::latch locked{1};
  std::promise<void> done;
  std::future<void> over = done.get_future();
  std::thread caller{[&] {
    for (std::uint32_t i = 0; i < 2 * ring_words; ++i) {  // all that is counted in has its memory then
      for (int host = 0; host < 4; ++host) ready.recorder.failed("https://hook" + std::to_string(host) + ".io/");
      ready.recorder.failed("https://more.io/");
      ready.recorder.failed("no url");
    }
    ready.recorder.drain();
    met.count_down();
    locked.wait();
    for (int i = 0; i < 1000; ++i) {
      const std::string number = std::to_string(i);
      ready.recorder.failed("https://a" + number + ".io secret/");
      ready.recorder.failed("https://a" + number + ".io\uff0fsecret/");
      ready.recorder.failed("https://a-name-that-does-not-fit-in-one-block" + number + ".io\nsecret/");
      ready.recorder.failed("https://hook0.io:0?" + number);
      ready.recorder.failed("no url" + number);
      ready.recorder.failed("https://more" + number + ".io/");
      ready.recorder.failed("https://MORE" + number + ".io/");
      ready.recorder.failed("https://Hook0.io:443/" + number);
    }
    done.set_value();
  }};
  met.wait();
  const std::uint32_t lines = ready.recorder.taken_lines();
  {
    const std::lock_guard lock{Registry::instance().mutex()};
    locked.count_down();
    EXPECT_EQ(over.wait_for(10s), std::future_status::ready);
  }
  caller.join();
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 2 * ring_words + 5000U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 2 * ring_words + 2000U);
  EXPECT_EQ(failed(ready.recorder, 2), 2 * ring_words + 1000U);
  EXPECT_EQ(ready.recorder.endpoint_count(), 6U);
  EXPECT_EQ(ready.recorder.taken_lines(), lines);
}

TEST(Deliveries, FindsOneEndpointHoweverThreadsWriteItAtOnce) {
  constexpr int hosts = 50;
  constexpr int rounds = 20;
  Ready ready{{hosts, true, 64U << 20U}};
  const std::vector<std::string> begins = {"https://hook", "http://Hook", "wss://HOOK", "https://user@hOOk"};
  std::latch begin{4};
  std::vector<std::thread> threads;
  for (const std::string& start : begins) {
    threads.emplace_back([&] {
      begin.arrive_and_wait();
      for (int i = 0; i < hosts * rounds; ++i) ready.recorder.failed(start + std::to_string(i % hosts) + ".io/path");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ready.recorder.endpoint_count(), hosts + first_endpoint);
  for (std::uint32_t endpoint = 2; endpoint < ready.recorder.endpoint_count(); ++endpoint) {
    EXPECT_EQ(failed(ready.recorder, endpoint), 4U * rounds) << ready.recorder.label(endpoint);
  }
}

TEST(Deliveries, KnowsAnEndpointAgainWhereAnotherUrlLay) {
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
TEST(Deliveries, TellsOtherInvalidAndKnownApartWhenTheTableIsFull) {
  Ready ready;
  const std::string path = "/T000/B000/secret that makes the URL long";
  for (int i = 0; i < 4; ++i) ready.recorder.success("https://hook" + std::to_string(i) + path, 1ms);
  ready.recorder.failed("https://more" + path);
  ready.recorder.failed("https://more:8443" + path);
  ready.recorder.failed("https://user:pw@more" + path);
  ready.recorder.failed("https://more?x=" + path);
  ready.recorder.failed("https://more#x=" + path);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 5U);
  ready.recorder.failed("https://user:pw@hook0" + path);
  ready.recorder.failed("https://hook0?x=" + path);
  ready.recorder.failed("http://hook0" + path);
  ready.recorder.failed("https://HOOK0:443" + path);
  EXPECT_EQ(failed(ready.recorder, 2), 4U);
  ready.recorder.failed("https://" + path);
  ready.recorder.failed("https://user@" + path);
  ready.recorder.failed("https://hook0\\@more" + path);
  ready.recorder.failed("https://more\\x" + path);
  ready.recorder.failed("hook0" + path);
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 5U);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), 5U);
  EXPECT_EQ(ready.recorder.endpoint_count(), 6U);
}

// Each word wants a chunk of its own, more than lay ready. The thread that drains can ready more, and does.
TEST(Deliveries, CountsWhatRingsHeldExactlyHoweverMuchMemoryItTakes) {
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
TEST(Deliveries, GivesAThreadThatCameWithoutMemoryABlockThatIsFree) {
  const std::size_t limit = Recording::fixed_bytes(usual) + (256U << 10U);
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
