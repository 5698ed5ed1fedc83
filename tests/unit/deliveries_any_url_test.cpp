// Of guesses, look-ups by text and by label, in whatever order they come, none ever counts where the URL as a whole
// does not.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "delivery/deliveries.hpp"
#include "delivery/host_key.hpp"
#include "delivery/host_label.hpp"
#include "unit/recorded.hpp"

namespace event_metrics::record {
namespace {

class Urls {
 public:
  Urls() {
    for (int i = 0; i < 600; ++i) urls_.push_back(any(schemes) + any(users) + any(hosts) + any(ends));
  }

  /// In a place of its own, so that reading beyond its end is seen.
  std::string any_url() { return any(urls_); }

 private:
  using Texts = std::vector<std::string>;

  const std::string& any(const Texts& of) { return of[random_() % of.size()]; }

  const std::string long_ = std::string(45, 'l');
  const Texts schemes = {"https://", "https://", "http://", "HTTPS://", "wss://", "ws://", "ftp://", " https://", ""};
  const Texts users = {"",
                       "",
                       "",
                       "u@",
                       "user:password@",
                       "a.io@",
                       "hooks-1.example.com@",
                       "a.io/@",
                       "u#v@",
                       "a.io#@",
                       "u\\\\v@",
                       "h@",
                       "u@v@",
                       "user-info-beyond-the-first-32-bytes:password@",
                       long_ + '@'};
  const Texts hosts = {"a.io",
                       "A.io",
                       "b.io",
                       "hooks-1.example.com",
                       "hooks-2.example.com",
                       "Hooks-2.Example.com",
                       "hooks-2.example.com.",
                       "[::1]",
                       "\u00fc.io",
                       "a b.io",
                       long_,
                       std::string(31, 's'),
                       std::string(32, 's'),
                       long_ + 'x',
                       long_ + ".example.com",
                       "a.io:443",
                       "a.io:80",
                       "b.io:81",
                       "hooks-1.example.com:8443",
                       ""};
  const Texts ends = {"",
                      "/",
                      "/x",
                      "?x",
                      "?x/y",
                      "#x",
                      "/x@c.io/",
                      "@c.io/x",
                      "\\x",
                      " ",
                      "/a-path-that-makes-it-long",
                      "?a-query=that-makes-it-long-enough/"};
  std::mt19937 random_{5};
  Texts urls_;
};

void compare(std::uint32_t max_endpoints) {
  Urls urls;
  Ready ready{{max_endpoints, true, 16U << 20U}};
  std::map<std::string, std::uint64_t, std::less<>> expected{{"invalid", 0}, {"other", 0}};
  for (int i = 0; i < 20'000; ++i) {
    const std::string url = urls.any_url();
    ready.recorder.failed(url);
    const delivery::HostLabel label = delivery::host_label(delivery::host_key(url));
    std::string counted{label.size == 0 ? "invalid" : label.text()};
    if (!expected.contains(counted) && expected.size() == 2 + max_endpoints) counted = "other";
    ++expected[counted];
  }
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), expected["invalid"]);
  EXPECT_EQ(failed(ready.recorder, other_endpoint), expected["other"]);
  EXPECT_EQ(ready.recorder.endpoint_count(), expected.size());
  for (std::uint32_t i = first_endpoint; i < ready.recorder.endpoint_count(); ++i) {
    EXPECT_EQ(failed(ready.recorder, i), expected[std::string{ready.recorder.label(i)}]) << ready.recorder.label(i);
  }
}

// User info that would make another host's spelling of what stands behind it.
TEST(DeliveriesOfAnyUrl, TakeNoUserInfoForAPartOfTheHost) {
  Ready ready{{10, true, 16U << 20U}};
  for (const std::string url : {"http://host:443/", "ws://abcdef/x", "http://h@ost:443/", "ws://abc@def/x"}) {
    for (int i = 0; i < 3; ++i) ready.recorder.failed(url);
  }
  const std::string path(40, 'p');
  for (const std::string url : {"https://a.example.com/", "https://u@a.example.com/", "https://u#@a.example.com/",
                                "https://u\\@a.example.com/"}) {
    for (int i = 0; i < 3; ++i) ready.recorder.failed(url + path);
  }
  EXPECT_EQ(failed(ready.recorder, invalid_endpoint), 3U);
  EXPECT_EQ(ready.recorder.endpoint_count(), first_endpoint + 6U);
  EXPECT_EQ(ready.recorder.label(first_endpoint + 5), "u");
  EXPECT_EQ(failed(ready.recorder, first_endpoint + 4), 6U);
  EXPECT_EQ(failed(ready.recorder, first_endpoint + 5), 3U);
  EXPECT_EQ(ready.recorder.label(first_endpoint + 2), "ost:443");
  EXPECT_EQ(ready.recorder.label(first_endpoint + 3), "def");
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(failed(ready.recorder, first_endpoint + i), 3U);
}

// The same where URLs are long enough to be guessed at, and of a path that looks like a host behind user info.
TEST(DeliveriesOfAnyUrl, TakeNoUserInfoOrPathOfALongUrlForAPartOfTheHost) {
  Ready ready{{10, true, 16U << 20U}};
  const std::string path(40, 'p');
  std::uint32_t endpoint = first_endpoint;
  for (const std::string url : {"http://host:443/", "http://h@ost:443/", "ws://abcdef/", "ws://abc@def/",
                                "https://u@a.example.com/", "https://b.io/a.example.com/"}) {
    for (int i = 0; i < 3; ++i) ready.recorder.failed(url + path);
    EXPECT_EQ(ready.recorder.label(endpoint), delivery::host_label(delivery::host_key(url)).text());
    EXPECT_EQ(failed(ready.recorder, endpoint++), 3U) << url;
  }
  EXPECT_EQ(ready.recorder.endpoint_count(), endpoint);
}

TEST(DeliveriesOfAnyUrl, CountWhereTheUrlAsAWholeSays) { compare(100); }
TEST(DeliveriesOfAnyUrl, CountWhereTheUrlAsAWholeSaysOnceTheTableIsFull) { compare(5); }

}  // namespace
}  // namespace event_metrics::record
