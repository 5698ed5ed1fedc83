#include "delivery/key_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace event_metrics::delivery {
namespace {

template <class Bytes>
class EitherKeyBytes : public testing::Test {};
#ifdef __SSE2__
using Types = testing::Types<PlainKeyBytes, SseKeyBytes>;
#else
using Types = testing::Types<PlainKeyBytes>;
#endif
TYPED_TEST_SUITE(EitherKeyBytes, Types);

struct alignas(16) Stored {
  char text[key_bytes];
};

// Memory that ends where the text does, and has eight bytes in front of it, as a URL has.
std::vector<char> with_scheme(const std::string& text) {
  const std::string url = "https://" + text;
  return {url.begin(), url.end()};
}

TYPED_TEST(EitherKeyBytes, FindsWhereTheFirstOfSomeBytesStands) {
  for (unsigned at = 0; at < key_bytes; ++at) {
    std::string text(key_bytes, 'h');
    text.back() = '?';
    text[at] = '/';
    const TypeParam bytes = TypeParam::load(text.data());
    EXPECT_EQ(bytes.template find<'/'>(), at);
    EXPECT_EQ((bytes.template find<'/', '?'>()), at);
    EXPECT_EQ((bytes.template find<'?', '#', '/'>()), at);
    EXPECT_EQ((bytes.template find<'?', '#'>()), at < key_bytes - 1 ? key_bytes - 1 : key_bytes);
  }
  const TypeParam bytes = TypeParam::load(std::string(key_bytes, 'h').data());
  EXPECT_EQ(bytes.template find<'/'>(), key_bytes);
  EXPECT_EQ((bytes.template find<'/', '?', '#', '\xFF'>()), key_bytes);
}

TYPED_TEST(EitherKeyBytes, CountsTheBytesBeforeTheFirstThatHostsAreNotMadeOf) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool plain = std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789-./"}.find(c) != std::string_view::npos;
    for (unsigned at = 0; at < key_bytes; ++at) {
      std::string text(key_bytes, 'h');
      text[at] = c;
      ASSERT_EQ(TypeParam::load(text.data()).leading_plain(), plain ? key_bytes : at) << byte;
    }
  }
}

TYPED_TEST(EitherKeyBytes, KeepsTheFirstBytesAndPutsZerosBehind) {
  const std::string text = "abcdefghijklmnopqrstuvwxyzABCDEF";
  for (unsigned size = 0; size <= key_bytes; ++size) {
    Stored stored{};
    std::memcpy(stored.text, text.data(), size);
    EXPECT_TRUE(TypeParam::load(text.data()).first(size).equals(stored.text)) << size;
    for (unsigned at = 0; at < key_bytes; ++at) {
      Stored other = stored;
      other.text[at] = '!';
      EXPECT_FALSE(TypeParam::load(text.data()).first(size).equals(other.text)) << size << ' ' << at;
    }
  }
}

TYPED_TEST(EitherKeyBytes, LoadsWhatIsShorterThanKeyBytes) {
  const std::string text = "abcdefghijklmnopqrstuvwxyzABCDE";
  for (std::size_t size = 0; size < key_bytes; ++size) {
    Stored stored{};
    std::memcpy(stored.text, text.data(), size);
    const std::vector<char> url = with_scheme(text.substr(0, size));
    EXPECT_TRUE(TypeParam::load(url.data() + 8, size).equals(stored.text)) << size;
  }
}

TYPED_TEST(EitherKeyBytes, ComparesOnlyTheBytesThatAreAskedFor) {
  const Stored stored{{'h', 'o', 's', 't', '/'}};
  const std::string text = "host/path that is longer than it.";
  EXPECT_TRUE(TypeParam::load(text.data()).agrees(stored.text, 0b1'1111));
  EXPECT_FALSE(TypeParam::load(text.data()).agrees(stored.text, 0b11'1111));
  EXPECT_TRUE(TypeParam::load(text.data()).agrees(stored.text, 0));
  for (unsigned at = 0; at < key_bytes; ++at) {
    Stored same;
    std::memcpy(same.text, text.data(), key_bytes);
    same.text[at] = '!';
    EXPECT_FALSE(TypeParam::load(text.data()).agrees(same.text, ~0U)) << at;
    EXPECT_TRUE(TypeParam::load(text.data()).agrees(same.text, ~(1U << at))) << at;
  }
}

TYPED_TEST(EitherKeyBytes, HashesAsItsDefinitionSays) {
  // The sum of (word + key word) * (next word + next key word), each pair of 32-bit words modulo 2^32.
  const record::Seed key{{1, 2, 3, 4, 5, 6, 7, 0xFFFF'FFFF}};
  EXPECT_EQ(TypeParam::load(std::string(key_bytes, '\0').data()).hash(key),
            1ULL * 2 + 3ULL * 4 + 5ULL * 6 + 7ULL * 0xFFFF'FFFF);
  EXPECT_EQ(TypeParam::load(std::string(key_bytes, '\xFF').data()).hash(key),
            0ULL * 1 + 2ULL * 3 + 4ULL * 5 + 6ULL * 0xFFFF'FFFE);
}

// How many of `hosts` share one of 4,096 places with one before, under the worst of some keys. Places by the hash's
// lowest bits, as in the table, or by its highest, which the table has beside a slot's number.
template <class Bytes>
int most_shared(const std::vector<std::string>& hosts, unsigned shift) {
  std::mt19937 random{7};
  int most = 0;
  for (int i = 0; i < 50; ++i) {
    record::Seed key;
    for (std::uint32_t& word : key.word) word = static_cast<std::uint32_t>(random());
    std::array<int, 4096> places{};
    int shared = 0;
    for (const std::string& host : hosts) {
      if (places[spread(Bytes::load(host.data()).hash(key)) >> shift & 4095U]++ > 0) ++shared;
    }
    most = std::max(most, shared);
  }
  return most;
}

// Chance has 418 of 2,000. Without spread() there are keys under which nearly all of them share.
TYPED_TEST(EitherKeyBytes, SpreadsHostsThatDifferInAFewBytes) {
  std::vector<std::string> numbered;
  std::vector<std::string> apart;  // in the low byte of three words: who knows the sum would choose them so
  for (int i = 0; i < 2000; ++i) {
    numbered.push_back("hooks-" + std::to_string(1000 + i) + ".example.com/" + std::string(20, '\0'));
    apart.push_back("abcdefghijkl.example.com/" + std::string(20, '\0'));
    for (int at = 0, rest = i; at < 12; at += 4, rest /= 13)
      apart.back()[static_cast<std::size_t>(at)] = static_cast<char>('a' + rest % 13);
  }
  for (const unsigned shift : {0U, 20U}) {
    EXPECT_LT(most_shared<TypeParam>(numbered, shift), 500);
    EXPECT_LT(most_shared<TypeParam>(apart, shift), 500);
  }
}

#ifdef __SSE2__
TEST(KeyBytes, IsTheSameOnEveryMachine) {
  std::mt19937 random{11};
  for (int i = 0; i < 10'000; ++i) {
    record::Seed key;
    std::array<char, key_bytes> text{};
    for (std::uint32_t& word : key.word) word = static_cast<std::uint32_t>(random());
    for (char& byte : text) byte = static_cast<char>(random() % 4 == 0 ? '/' : random());
    const auto size = static_cast<unsigned>(random() % 33);
    const PlainKeyBytes plain = PlainKeyBytes::load(text.data());
    const SseKeyBytes sse = SseKeyBytes::load(text.data());
    ASSERT_EQ(plain.hash(key), sse.hash(key));
    ASSERT_EQ(plain.find<'/'>(), sse.find<'/'>());
    ASSERT_EQ((plain.find<'?', '\0', '\xFF'>()), (sse.find<'?', '\0', '\xFF'>()));
    ASSERT_EQ(plain.first(size).hash(key), sse.first(size).hash(key));
    ASSERT_EQ(plain.leading_plain(), sse.leading_plain());
  }
}
#endif

}  // namespace
}  // namespace event_metrics::delivery
