#include "record/host_key.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace event_metrics::record {
namespace {

using namespace std::string_literals;

struct Case {
  std::string_view url;
  std::string_view authority;
};

TEST(HostKey, IsHostAndPortAsWritten) {
  constexpr std::array cases{
      Case{"https://example.com", "example.com"},
      Case{"https://example.com/", "example.com"},
      Case{"https://example.com/T000/B000/secret", "example.com"},
      Case{"https://EXAMPLE.Com/x", "EXAMPLE.Com"},  // lower case is the label's business
      Case{"https://example.com:443/x", "example.com:443"},
      Case{"http://example.com:8080", "example.com:8080"},
      Case{"http://example.com:", "example.com:"},
      Case{"http://127.0.0.1:9/x", "127.0.0.1:9"},
      Case{"http://[2001:db8::1]/x", "[2001:db8::1]"},
      Case{"http://[2001:db8::1]:8080/x", "[2001:db8::1]:8080"},
      Case{"https://b\xc3\xbc"
           "cher.example/x",
           "b\xc3\xbc"
           "cher.example"},
      Case{"a+b-c.1://host", "host"},
      Case{"h://x", "x"},
  };
  for (const Case& c : cases) EXPECT_EQ(host_key(c.url).authority, c.authority) << c.url;
}

TEST(HostKey, EndsWherePathQueryOrFragmentBegins) {
  constexpr std::array cases{
      Case{"https://host?token=secret", "host"},
      Case{"https://host#secret", "host"},
      Case{"https://host:81?token=secret", "host:81"},
      Case{"https://host:81#secret", "host:81"},
      Case{"https://host/a?b#c", "host"},
      Case{"https://host?next=https://secret/", "host"},
      Case{"https://host#https://secret/", "host"},
      Case{"https://host/redirect?to=https://user:secret@elsewhere/", "host"},
      Case{"https://host/users/@secret", "host"},
      Case{"https://host/a@secret", "host"},
      Case{"https://host?mail=me@secret", "host"},
      Case{"https://host#me@secret", "host"},
      Case{"https://host//secret", "host"},
      Case{"https://host/:81", "host"},
  };
  for (const Case& c : cases) EXPECT_EQ(host_key(c.url).authority, c.authority) << c.url;
}

TEST(HostKey, LeavesOutUserInfo) {
  constexpr std::array cases{
      Case{"https://secret@host/x", "host"},        Case{"https://user:secret@host:81/x", "host:81"},
      Case{"https://:secret@host", "host"},         Case{"https://@host", "host"},
      Case{"https://user:sec@ret@host", "host"},  // unescaped: all up to the last @ is user info
      Case{"https://a:b@c:d@host:1?e@f", "host:1"}, Case{"https://user:secret@[::1]:81/x", "[::1]:81"},
  };
  for (const Case& c : cases) EXPECT_EQ(host_key(c.url).authority, c.authority) << c.url;
}

TEST(HostKey, IsEmptyForWhatHasNoSchemeAndHost) {
  constexpr std::array invalid{
      "",
      "example.com",
      "example.com/secret",
      "//example.com/secret",
      "/secret",
      "://example.com",
      ":",
      "https:",
      "https:/",
      "https://",
      "https:///secret",
      "https://?secret",
      "https://#secret",
      "https://user:secret@",
      "https://user:secret@/path",
      "https://@",
      "https:/example.com/secret",
      "https:example.com",
      "mailto:me@example.com",
      "example.com:80/next?to=http://secret",  // the first colon is no scheme's
      "/redirect?to=https://secret.example/",  // a "://" that belongs to a query
      "example.com/?a=b&to=https://secret/",
      "ht tp://host",
      "ht_tp://host",
      " https://host",
      "h\xc3\xbc://host",
  };
  for (const char* const url : invalid) {
    const HostKey key = host_key(url);
    EXPECT_EQ(key.authority, "") << url;
    EXPECT_EQ(key.scheme, Scheme::other) << url;
  }
}

TEST(HostKey, KnowsTheSchemesThatHaveAPortOfTheirOwn) {
  EXPECT_EQ(host_key("http://host").scheme, Scheme::http);
  EXPECT_EQ(host_key("HTTP://host").scheme, Scheme::http);
  EXPECT_EQ(host_key("https://host").scheme, Scheme::https);
  EXPECT_EQ(host_key("hTTpS://host").scheme, Scheme::https);
  EXPECT_EQ(host_key("httpsx://host").scheme, Scheme::other);
  EXPECT_EQ(host_key("ws://host").scheme, Scheme::other);
}

TEST(HostKey, TakesUpTo261Bytes) {
  const std::string longest(261, 'h');
  EXPECT_EQ(host_key("https://" + longest + "/x").authority, longest);
  EXPECT_EQ(host_key("https://user:secret@" + longest + "/x").authority, longest);
}

// A cut could keep user info, so what is too long is refused as a whole.
TEST(HostKey, NeverCutsWhatIsTooLong) {
  EXPECT_EQ(host_key("https://" + std::string(262, 'h')).authority, "");
  EXPECT_EQ(host_key("https://" + std::string(100'000, 'h') + "/x").authority, "");
  const std::string password(100'000, 'p');
  EXPECT_EQ(host_key("https://user:" + password + "@host/x").authority, "host");
}

// Bytes that would break a line are the label's business; here they neither end the key nor the URL.
TEST(HostKey, KeepsControlBytesForTheLabelToClean) {
  EXPECT_EQ(host_key("https://ho\0st/x"s).authority, "ho\0st"s);
  EXPECT_EQ(host_key("https://user:se\0cret@host/x"s).authority, "host");
  EXPECT_EQ(host_key("https://ho\nst/x").authority, "ho\nst");
  EXPECT_EQ(host_key("https://host\r\nsecret:1|c/x").authority, "host\r\nsecret:1|c");
  EXPECT_EQ(host_key("ht\0tp://host"s).authority, "");
}

// Some clients end the host at a backslash, others at a later `@`: what one takes for a path is the other's host.
TEST(HostKey, IsInvalidWithABackslashBeforeThePath) {
  EXPECT_EQ(host_key("https://host\\secret").authority, "");
  EXPECT_EQ(host_key("https://host\\secret/x").authority, "");
  EXPECT_EQ(host_key("https://host\\services\\T0\\x@secret").authority, "");
  EXPECT_EQ(host_key("https://host\\@secret:99/x").authority, "");
  EXPECT_EQ(host_key("https://host/path\\x").authority, "host");
  EXPECT_EQ(host_key("https:\\\\host").authority, "");
}

TEST(HostKey, PointsIntoTheUrl) {
  const std::string url = "https://user@host:81/x";
  EXPECT_EQ(host_key(url).authority.data(), url.data() + 13);
}

// Built from parts that can be told apart, in every combination: no part but the host ever shows.
TEST(HostKey, ShowsNothingButTheHostWhateverSurroundsIt) {
  constexpr std::array users{"", "USER@", "USER:PASS@", "USER:@", ":PASS@", "US@ER:PA@SS@", "U%40:P%2F@"};
  constexpr std::array hosts{"host", "host:81", "[::1]", "[::1]:81", "127.0.0.1"};
  constexpr std::array ends{
      "",           "/",   "/PATH",  "/PATH/A@B",      "?QUERY", "?A@B", "#FRAGMENT", "#A://B@C", "/PATH?A://B@C#D@E",
      "/PATH\\A@B", "//A", "?A/B@C", "/..;/A:1@B:2#C", "#?/@",   "/@:/@"};
  for (const std::string user : users) {
    for (const std::string host : hosts) {
      for (const std::string end : ends) {
        const std::string url = "https://" + user + host + end;
        EXPECT_EQ(host_key(url).authority, host) << url;
      }
    }
  }
}

TEST(LikelyHostKey, IsWhatStandsBeforeTheFirstSlash) {
  constexpr std::array cases{
      Case{"https://example.com", "example.com"},
      Case{"https://example.com/T000/B000/secret", "example.com"},
      Case{"http://example.com:8080/", "example.com:8080"},
      Case{"http://x/", "x"},
      Case{"https://example.com?to=/x", "example.com?to="},
      Case{"https://user:pw@example.com/x", "user:pw@example.com"},
      Case{"https:///x", ""},
      Case{"https://", ""},
      Case{"http://", ""},
      Case{"HTTPS://example.com/", ""},
      Case{"ftp://example.com/", ""},
      Case{"https:/", ""},
      Case{"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(likely_host_key(c.url).authority, c.authority) << c.url;
  EXPECT_EQ(likely_host_key("https://x/").scheme, Scheme::https);
  EXPECT_EQ(likely_host_key("http://x/").scheme, Scheme::http);
  EXPECT_EQ(likely_host_key("https://" + std::string(longest_authority, 'a')).authority.size(), longest_authority);
  EXPECT_EQ(likely_host_key("https://" + std::string(longest_authority + 1, 'a')).authority, "");
}

// So a guess that is in the table was right.
TEST(LikelyHostKey, IsTheHostKeyWhereverItCouldBeOne) {
  const std::string bytes = "a:@?#\\/";
  for (std::size_t number = 0; number < 7 * 7 * 7 * 7 * 7; ++number) {
    std::string url = "https://";
    for (std::size_t rest = number, i = 0; i < 5; ++i, rest /= bytes.size()) url += bytes[rest % bytes.size()];
    const std::string_view guess = likely_host_key(url).authority;
    const std::string_view key = host_key(url).authority;
    EXPECT_EQ(key.find_first_of("/@?#\\"), std::string_view::npos) << url;
    const bool possible = !guess.empty() && guess.find_first_of("@?#\\") == std::string_view::npos;
    if (possible) {
      EXPECT_EQ(guess, key) << url;
    }
  }
}

std::string block_key(std::string_view url) {
  BlockKey key;
  if (!likely_block_key(url, key)) return "none";
  return std::to_string(key.kind >> 2U) + (is_host(key) ? " host" : " no host");
}

TEST(BlockKey, IsWhatStandsBetweenSchemeAndSlash) {
  EXPECT_EQ(block_key("https://example.com/T000/B000/long enough for a block"), "11 host");
  EXPECT_EQ(block_key("http://example.com/T000/B000/long enough for a block"), "11 host");
  EXPECT_EQ(block_key("https://a/"), "1 host");
  EXPECT_EQ(block_key("http://a/"), "1 host");
  EXPECT_EQ(block_key("https://" + std::string(31, 'h') + "/"), "31 host");
  EXPECT_EQ(block_key("https://example.com:8443/x"), "16 host");
}

TEST(BlockKey, IsNoneWhereThereIsNoSuchKey) {
  for (const char* const url :
       {"", "h", "https://", "http://", "https:///", "https:///path", "https://example.com", "HTTPS://example.com/",
        "ftp://example.com/", "example.com/path", "https:/example.com/"}) {
    EXPECT_EQ(block_key(url), "none") << url;
  }
  EXPECT_EQ(block_key("https://" + std::string(32, 'h') + "/"), "none");
  EXPECT_EQ(block_key("https://" + std::string(40, 'h') + "/"), "none");
}

// What is found before a slash may be more or less than the host. Then it equals no key, and is not `other` either.
TEST(BlockKey, IsNoHostWhereUserInfoQueryFragmentOrBackslashStands) {
  EXPECT_EQ(block_key("https://user:secret@example.com/x"), "23 no host");
  EXPECT_EQ(block_key("https://example.com?token=/"), "18 no host");
  EXPECT_EQ(block_key("https://example.com#token/"), "17 no host");
  EXPECT_EQ(block_key("https://example.com\\evil/"), "16 no host");
}

}  // namespace
}  // namespace event_metrics::record
