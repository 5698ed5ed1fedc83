#include "delivery/host_key.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace event_metrics::delivery {
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
      "h\xc3\xbc://host",
  };
  for (const char* const url : invalid) {
    const HostKey key = host_key(url);
    EXPECT_EQ(key.authority, "") << url;
    EXPECT_EQ(key.scheme, Scheme::other) << url;
  }
}

TEST(HostKey, KnowsTheSchemesThatHaveAPortOfTheirOwn) {
  for (const char* const url : {"http://host:1", "HTTP://host:1", "ws://host:1", "Ws://host:1"}) {
    EXPECT_EQ(host_key(url).scheme, Scheme::http) << url;
  }
  for (const char* const url : {"https://host:1", "hTTpS://host:1", "wss://host:1", "WSS://host:1"}) {
    EXPECT_EQ(host_key(url).scheme, Scheme::https) << url;
  }
  for (const char* const url : {"httpsx://host:1", "ftp://host:1", "w://host:1"}) {
    EXPECT_EQ(host_key(url).scheme, Scheme::other) << url;
  }
}

TEST(HostKey, IgnoresWhiteSpaceAtTheUrlsEnds) {
  for (const char* const url : {" https://host", "https://host\n", "https://host\r\n", "\t\v\f https://host/x \n"}) {
    EXPECT_EQ(host_key(url).authority, "host") << url;
  }
  EXPECT_EQ(host_key("https://host \n/x").authority, "host \n");
  EXPECT_EQ(host_key(" \n ").authority, "");
}

// A cut could keep user info, so how long a host may be is the label's business.
TEST(HostKey, NeverCutsWhatIsLong) {
  const std::string longest(100'000, 'h');
  EXPECT_EQ(host_key("https://" + longest + "/x").authority, longest);
  const std::string password(100'000, 'p');
  EXPECT_EQ(host_key("https://user:" + password + "@host/x").authority, "host");
}

// Bytes that no host has are the label's business; here they neither end the key nor the URL.
TEST(HostKey, KeepsControlBytesForTheLabelToRefuse) {
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

TEST(HostKey, IsSpelledByWhatTheUrlBeginsWith) {
  EXPECT_EQ(host_key("https://example.com/x").spelling, "https://example.com");
  EXPECT_EQ(host_key("HTTP://EXAMPLE.com:81?x").spelling, "HTTP://EXAMPLE.com:81");
  EXPECT_EQ(host_key("ws://[::1]:81").spelling, "ws://[::1]:81");
  EXPECT_EQ(host_key(" https://example.com\n").spelling, "https://example.com");
  EXPECT_EQ(host_key("https://user:secret@example.com/x").spelling, "");
  EXPECT_EQ(host_key("https://@example.com/x").spelling, "");
}

}  // namespace
}  // namespace event_metrics::delivery
