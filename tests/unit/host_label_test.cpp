#include "delivery/host_label.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace event_metrics::delivery {
namespace {

using namespace std::string_literals;

// "invalid" where there is none.
std::string label(std::string_view authority, Scheme scheme = Scheme::https) {
  const HostLabel label = host_label({authority, scheme});
  return label.size == 0 ? "invalid" : std::string{label.text()};
}

std::string label_of_url(std::string_view url) {
  const HostLabel label = host_label(host_key(url));
  return label.size == 0 ? "invalid" : std::string{label.text()};
}

TEST(HostLabel, IsTheHostInLowerCase) {
  EXPECT_EQ(label("hooks.example.com"), "hooks.example.com");
  EXPECT_EQ(label("Hooks.EXAMPLE.com"), "hooks.example.com");
  EXPECT_EQ(label("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(label("[2001:DB8::A]"), "[2001:db8::a]");
  EXPECT_EQ(label("[::FFFF:192.0.2.1]"), "[::ffff:192.0.2.1]");
  EXPECT_EQ(label("[fe80::1%Eth0]:81"), "[fe80::1%eth0]:81");
  EXPECT_EQ(label("a-b_c~d.io"), "a-b_c~d.io");
}

TEST(HostLabel, HasThePortUnlessItIsTheSchemesOwn) {
  EXPECT_EQ(label("a.example:443"), "a.example");
  EXPECT_EQ(label("a.example:0443"), "a.example");
  EXPECT_EQ(label("a.example:80"), "a.example:80");
  EXPECT_EQ(label("a.example:80", Scheme::http), "a.example");
  EXPECT_EQ(label("a.example:443", Scheme::http), "a.example:443");
  EXPECT_EQ(label("a.example:443", Scheme::other), "a.example:443");
  EXPECT_EQ(label("a.example:08080"), "a.example:8080");
  EXPECT_EQ(label("a.example:1"), "a.example:1");
  EXPECT_EQ(label("a.example:65535"), "a.example:65535");
  EXPECT_EQ(label("[::1]:8443"), "[::1]:8443");
  EXPECT_EQ(label("[::1]:443"), "[::1]");
}

TEST(HostLabel, TakesAnEmptyPortForTheSchemesOwn) {
  EXPECT_EQ(label("a.example:"), "a.example");
  EXPECT_EQ(label("a.example:", Scheme::other), "a.example");
  EXPECT_EQ(label("[::1]:"), "[::1]");
}

TEST(HostLabel, IsOneForTheSchemesThatShareAPort) {
  for (const char* const url : {"https://a.io/x", "http://a.io/x", "ws://a.io/x", "wss://a.io/x", "ftp://a.io/x",
                                "https://a.io:443", "wss://a.io:443", "http://a.io:80", "WS://A.io:80"}) {
    EXPECT_EQ(label_of_url(url), "a.io") << url;
  }
  EXPECT_EQ(label_of_url("ws://a.io:443"), "a.io:443");
  EXPECT_EQ(label_of_url("wss://a.io:80"), "a.io:80");
}

TEST(HostLabel, DropsOneDotAtTheEnd) {
  EXPECT_EQ(label("a.example."), "a.example");
  EXPECT_EQ(label("a.example.:8080"), "a.example:8080");
  EXPECT_EQ(label("m\u00fcnchen.example."), "xn--mnchen-3ya.example");
  EXPECT_EQ(label("a.example.."), "invalid");  // what is left of it is no name either
  EXPECT_EQ(label("."), "invalid");
  EXPECT_EQ(label(".:80"), "invalid");
}

TEST(HostLabel, IsInvalidWithoutAHost) {
  for (const std::string_view authority : {"", ":", ":8080", "[]", "[]:8080", "[%eth0]", "[8080]", "[cafe]"}) {
    EXPECT_EQ(label(authority), "invalid") << authority;
  }
}

TEST(HostLabel, IsInvalidWhenThePortIsNone) {
  for (const std::string_view port : {"0", "00000", "65536", "99999", "000443", "123456", "-1", "+1", " 1", "1 ", "1x",
                                      "x", "0x1", "1.0", "1:2", ":1", "1:", "secret", "\uff11"}) {
    EXPECT_EQ(label("a.example:" + std::string(port)), "invalid") << port;
    EXPECT_EQ(label("[::1]:" + std::string(port)), "invalid") << port;
  }
  EXPECT_EQ(label("::1"), "invalid") << "an IPv6 address needs brackets";
}

TEST(HostLabel, IsInvalidWhenBracketsDoNotEncloseAnAddress) {
  for (const std::string_view authority :
       {"[::1", "::1]", "[::1]x", "[::1]x:80", "[::1]]", "a[::1]", "a]", "a[b]:80", "[", "]", "[secret]", "[a:secret]",
        "[::1 ]", "[::1\xc3\xbc]", "[::1%\xc3\xbc]", "[::1%a b]", "[::1%a:b]", "[::1%25%]"}) {
    EXPECT_EQ(label(authority), "invalid") << authority;
  }
}

TEST(HostLabel, IsInvalidWhenWhatIsNoHostWasLeftIn) {
  for (const std::string_view authority :
       {"user:secret@a.example", "secret@a.example", "a.example\\secret", "a.example/secret", "a.example?token=x",
        "a.example#secret", "a.example:80\\secret", "a.example:80/secret", "[::1\\secret]", "[secret@::1]"}) {
    EXPECT_EQ(label(authority), "invalid") << authority;
  }
}

TEST(HostLabel, KeepsAHostOf255BytesAndCutsNoLongerOne) {
  const std::string longest(255, 'a');
  EXPECT_EQ(label(longest), longest);
  EXPECT_EQ(label(longest + "."), longest);
  EXPECT_EQ(label(longest + ":65535"), longest + ":65535");
  EXPECT_EQ(label(longest + "a"), "invalid");
  EXPECT_EQ(label(longest + "a:80"), "invalid");
  EXPECT_EQ(label(std::string(100'000, 'a')), "invalid");
}

// However many bytes the name has as it is written.
TEST(HostLabel, CountsBytesInCanonicalForm) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "\u6d4b";  // three bytes each
  const std::string told = label(name);
  EXPECT_TRUE(told.starts_with("xn--")) << told;
  EXPECT_LE(told.size(), 255U);
  for (int i = 0; i < 100; ++i) name += "\u6d4b";
  EXPECT_EQ(label(name), "invalid");
  const std::string prefix(245, 'a');
  EXPECT_EQ(label(prefix + ".\u00fc"), prefix + ".xn--tda");  // 253 bytes
  EXPECT_EQ(label(prefix + "aa.\u00fc"), prefix + "aa.xn--tda");
  EXPECT_EQ(label(prefix + "aaa.\u00fc"), "invalid");
}

// Each shows a URL that was put together wrongly: what follows may be its path, its query or its user info.
TEST(HostLabel, IsInvalidWithWhatNoHostHas) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const char c = static_cast<char>(byte);
    const bool allowed = std::string_view{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"}.find(
                             c) != std::string_view::npos;
    EXPECT_EQ(label("a.io"s + c + "secret") != "invalid", allowed) << byte;
    EXPECT_EQ(label("\u00fc.io"s + c + "secret") != "invalid", allowed) << byte;
    EXPECT_EQ(label("\u00fc"s + c + "secret") != "invalid", allowed) << byte;
  }
}

std::string utf8(char32_t point) {
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 0x3F))};
  std::string text;
  for (int shift = point < 0x10000 ? 12 : 18; shift >= 0; shift -= 6) {
    text += static_cast<char>(0x80 | (point >> shift & 0x3F));
  }
  text[0] = static_cast<char>((point < 0x10000 ? 0xE0 : 0xF0) | (point >> (point < 0x10000 ? 12 : 18)));
  return text;
}

TEST(HostLabel, IsInvalidWithWhatLooksLikeASeparatorOrABlank) {
  const auto is_invalid = [](char32_t point) {
    return label("hooks.example.com" + utf8(point) + "secret") == "invalid";
  };
  for (const auto& [first, last] : std::initializer_list<std::pair<char32_t, char32_t>>{{0x80, 0xBF},
                                                                                        {0x1680, 0x1680},
                                                                                        {0x2000, 0x2BFF},
                                                                                        {0x2E00, 0x2E7F},
                                                                                        {0x3000, 0x303F},
                                                                                        {0x3200, 0x33FF},
                                                                                        {0xE000, 0xF8FF},
                                                                                        {0xFE00, 0xFE6F},
                                                                                        {0xFF00, 0xFFFF},
                                                                                        {0xE0000, 0x10FFFF}}) {
    EXPECT_TRUE(is_invalid(first) && is_invalid(last) && is_invalid((first + last) / 2))
        << static_cast<std::uint32_t>(first);
    EXPECT_FALSE(first != 0x80 && first != 0xE000 && is_invalid(first - 1)) << static_cast<std::uint32_t>(first);
    EXPECT_FALSE(last != 0x10FFFF && is_invalid(last + 1)) << static_cast<std::uint32_t>(last);
  }
}

TEST(HostLabel, IsInvalidWhereTheNameIsIllFormed) {
  for (const std::string_view text : {"\xff", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80", "\x80", "\xf0\x9f\x98", "\xfc\x80\x80\x80\x80\xaf"}) {
    EXPECT_EQ(label("a" + std::string(text) + ".io"), "invalid") << text;
    EXPECT_EQ(label("\u00fc" + std::string(text)), "invalid") << text;
  }
}

TEST(HostLabel, WritesOtherCodePointsAsRfc3492HasThem) {
  EXPECT_EQ(label("m\u00fcnchen.example"), "xn--mnchen-3ya.example");
  EXPECT_EQ(label("m\u00e4nchen.example"), "xn--mnchen-bua.example");
  EXPECT_EQ(label("B\u00fcCHER.example:81"), "xn--bcher-kva.example:81");
  EXPECT_EQ(label("a.\u4f8b\u5b50.\u6d4b\u8bd5"), "a.xn--fsqu00a.xn--0zwm56d");
  EXPECT_EQ(label("\U0001F4A9.la"), "xn--ls8h.la");
  EXPECT_EQ(label("XN--Mnchen-3ya.example"), "xn--mnchen-3ya.example");
}

// No mapping: programs that map resolve both to one host, others tell them apart, and so do we.
TEST(HostLabel, MapsNothing) {
  EXPECT_EQ(label("M\u00dcNCHEN"), "xn--mnchen-psa");
  EXPECT_EQ(label("mu\u0308nchen"), "xn--munchen-gie");
}

std::string random_authority(std::mt19937& random) {
  static const std::vector<std::string> pieces = {
      "a",      "B", "7",    "-", "_", ".",   ".",    "~", "xn--", "\u00fc", "\u4f8b", "\U0001F4A9",
      "\u00df", ":", ":443", "[", "]", "::1", "\xff", " ", "%",    "\u2028", ":80",    ":8080"};
  std::string text;
  for (std::uint32_t i = random() % 8 + 1; i > 0; --i) text += pieces[random() % pieces.size()];
  return text;
}

// So the label is found by itself, whatever spelling of it came first.
TEST(HostLabel, IsItsOwnLabelWhereNoSchemeHasAPort) {
  std::mt19937 random{1};
  int valid = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string authority = random_authority(random);
    for (const Scheme scheme : {Scheme::https, Scheme::http, Scheme::other}) {
      const std::string told = label(authority, scheme);
      if (told == "invalid") continue;
      ++valid;
      ASSERT_EQ(label(told, Scheme::other), told) << authority;
    }
  }
  EXPECT_GT(valid, 10'000);
}

TEST(HostLabel, HasAUrlWhoseLabelItIs) {
  EXPECT_EQ(host_label(host_key("http://Example.com./x")).url(), "https://example.com");
  EXPECT_EQ(host_label(host_key("http://example.com:81")).url(), "https://example.com:81");
  EXPECT_EQ(host_label(host_key("http://example.com:443")).url(), "http://example.com:443");
  EXPECT_EQ(host_label(host_key("https://[::1]:443")).url(), "https://[::1]");
  std::mt19937 random{2};
  for (int i = 0; i < 100'000; ++i) {
    const std::string authority = random_authority(random);
    for (const std::string scheme : {"https://", "http://", "ftp://"}) {
      const HostLabel label = host_label(host_key(scheme + authority));
      if (label.size == 0) continue;
      ASSERT_EQ(host_label(host_key(label.url())).text(), label.text()) << authority;
    }
  }
}

/// As a call takes it: of what the URL begins with.
Glance glance_at(std::string_view url) {
  const std::size_t size = std::min(url.find_first_of("/?@", 8), url.size());
  return size < url.size() && url[size] == '@' ? Glance::unknown : glance(url, size);
}

// An attacker's URLs are told from others by this, wherever in a name the fault is.
TEST(Glance, AgreesWithTheLabel) {
  const std::string path(40, 'p');
  for (const std::string url : {"https://hooks.example.com secret/", "https://a.io%2F:81/", "https://ab\\/",
                                "https://a b?", "https://a\x7f/"}) {
    EXPECT_EQ(label_of_url(url), "invalid") << url;
    EXPECT_EQ(glance_at(url), Glance::no_host) << url;
    EXPECT_EQ(glance_at(url + path), Glance::no_host) << url;
  }
  for (const std::string url : {"https://a.io/", "https://a-b.c.0123456789?", "https://a"}) {
    EXPECT_EQ(glance_at(url), Glance::url_of_label) << url;
  }
  EXPECT_EQ(glance_at("https://" + std::string(255, 'a') + "/"), Glance::url_of_label);
  EXPECT_EQ(glance_at("https://" + std::string(256, 'a') + "/"), Glance::unknown);
  for (const std::string url :
       {"https://a b@c/", "https://a#b c/", "https://a.:80/", "https://[::1]/", "https://A/", "http://a/",
        "https://a./", "https://a \n", "https:///", "https://", "", "https://\u00fc/"}) {
    EXPECT_EQ(glance_at(url), Glance::unknown) << url;
    EXPECT_EQ(glance_at(url + (url.ends_with("/") && !url.ends_with("//") ? path : "")), Glance::unknown) << url;
  }
  std::mt19937 random{3};
  std::array<int, 3> seen{};
  for (int i = 0; i < 100'000; ++i) {
    const std::string url = "https://" + random_authority(random) + (i % 2 == 0 ? "/path" : "/" + path);
    const Glance glance = glance_at(url);
    ++seen.at(static_cast<std::size_t>(glance));
    if (glance == Glance::no_host) {
      ASSERT_EQ(label_of_url(url), "invalid") << url;
    }
    if (glance == Glance::url_of_label) {
      ASSERT_EQ(label_of_url(url), url.substr(8, url.find('/', 8) - 8));
    }
  }
  for (const int count : seen) EXPECT_GT(count, 1'000);
}

}  // namespace
}  // namespace event_metrics::delivery
