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

std::string short_key(std::string_view url) {
  ShortKey key;
  if (!likely_short_key(url, key)) return "none";
  return std::to_string(key.shape >> 2U);
}

TEST(ShortKey, IsWhatStandsBetweenSchemeAndSlash) {
  EXPECT_EQ(short_key("https://example.com/T000/B000/long enough for a short key"), "11");
  EXPECT_EQ(short_key("http://example.com/T000/B000/long enough for a short key"), "11");
  EXPECT_EQ(short_key("https://a/"), "1");
  EXPECT_EQ(short_key("http://a/"), "1");
  EXPECT_EQ(short_key("https://" + std::string(31, 'h') + "/"), "31");
  EXPECT_EQ(short_key("https://example.com:8443/x"), "16");
  EXPECT_EQ(short_key("https://user:pw@a/x"), "9");  // a guess, which equals no key of a host
}

TEST(ShortKey, IsNoneWhereThereIsNoSuchKey) {
  for (const char* const url :
       {"", "h", "https://", "http://", "https:///", "https:///path", "https://example.com", "HTTPS://example.com/",
        "ftp://example.com/", "example.com/path", "https:/example.com/"}) {
    EXPECT_EQ(short_key(url), "none") << url;
  }
  EXPECT_EQ(short_key("https://" + std::string(32, 'h') + "/"), "none");
  EXPECT_EQ(short_key("https://" + std::string(40, 'h') + "/"), "none");
}

TEST(ShortKey, HasASchemeOnlyWhereAPortIsWritten) {
  const auto scheme = [](std::string_view url) {
    ShortKey key;
    return likely_short_key(url, key) ? static_cast<Scheme>(key.shape & 3U) : Scheme::other;
  };
  EXPECT_EQ(scheme("https://example.com/a:b"), Scheme::other);
  EXPECT_EQ(scheme("http://example.com/a:b"), Scheme::other);
  EXPECT_EQ(scheme("https://example.com:443/"), Scheme::https);
  EXPECT_EQ(scheme("http://example.com:443/"), Scheme::http);
  EXPECT_EQ(scheme("https://:/"), Scheme::https);
}

// So a guess that is in the table was right.
TEST(ShortKey, IsTheHostKeyWhereverItCouldBeOne) {
  const std::string bytes = "a:@?#\\/";
  for (std::size_t number = 0; number < 7 * 7 * 7 * 7 * 7; ++number) {
    std::string url = "https://";
    for (std::size_t rest = number, i = 0; i < 5; ++i, rest /= bytes.size()) url += bytes[rest % bytes.size()];
    url += '/';
    const HostKey key = host_key(url);
    EXPECT_EQ(key.authority.find_first_of("/@?#\\"), std::string_view::npos) << url;
    ShortKey guess;
    if (!likely_short_key(url, guess)) continue;
    const std::string_view text = guess.text();
    if (text.find_first_of("@?#\\") != std::string_view::npos) continue;
    EXPECT_EQ(text, key.authority) << url;
    const bool has_port = text.find(':') != text.npos;
    EXPECT_EQ(guess.shape & 3U, static_cast<std::uint32_t>(has_port ? key.scheme : Scheme::other)) << url;
  }
}

bool is_label(std::string_view url) {
  ShortKey key;
  return likely_short_key(url, key) && is_label(key);
}

TEST(ShortKey, IsALabelWhereItIsOneAsItStands) {
  EXPECT_TRUE(is_label("https://example.com/x"));
  EXPECT_TRUE(is_label("http://a/x"));
  EXPECT_TRUE(is_label("https://a-b.c.0123456789/x"));
  EXPECT_TRUE(is_label("https://" + std::string(31, 'z') + "/"));
  EXPECT_FALSE(is_label("https://Example.com/x"));
  EXPECT_FALSE(is_label("https://example.com./x"));
  EXPECT_FALSE(is_label("https://example.com:80/x"));
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (c == '/') continue;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    EXPECT_EQ(is_label("https://a"s + c + "b/x"), plain) << byte;
    EXPECT_EQ(is_label("https://"s + c + "/x"), plain && c != '.') << byte;
  }
}

}  // namespace
}  // namespace event_metrics::delivery
