#include "delivery/text_hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace event_metrics::delivery {
namespace {

record::Seed seed(std::uint32_t number) {
  std::mt19937 random{number};
  record::Seed seed;
  for (std::uint32_t& word : seed.word) word = static_cast<std::uint32_t>(random());
  return seed;
}

/// In memory that ends where the text does.
std::vector<char> exactly(std::string_view text) { return {text.begin(), text.end()}; }

std::uint64_t hash_exactly(std::string_view text, const record::Seed& seed) {
  const std::vector<char> bytes = exactly(text);
  return hash_of({bytes.data(), bytes.size()}, seed);
}

struct alignas(16) Stored {
  char text[32];
};

TEST(TextHash, IsAsItsDefinitionSays) {
  // The sum of (word + seed) * (next word + next seed), each pair of 32-bit words modulo 2^32, where the first 8 bytes
  // are added to those that begin the last 16.
  const record::Seed seed{{1, 2, 3, 4, 5, 6, 7, 0xFFFF'FFFF}};
  const std::string zeros(39, '\0');
  EXPECT_EQ(plain::hash(zeros.data(), 39, seed), 1ULL * 2 + 3ULL * 4 + 5ULL * 6 + 7ULL * 0xFFFF'FFFF);
  const std::string ones(39, '\xFF');
  EXPECT_EQ(plain::hash(ones.data(), 39, seed), 0ULL * 1 + 2ULL * 3 + 3ULL * 4 + 6ULL * 0xFFFF'FFFE);
  std::string first = zeros;
  first[0] = '\x01';
  EXPECT_EQ(plain::hash(first.data(), 39, seed), 1ULL * 2 + 3ULL * 4 + 6ULL * 6 + 7ULL * 0xFFFF'FFFF);
}

TEST(TextHash, IsAnotherWhereAnyByteBehindTheFirstEightIs) {
  const record::Seed words = seed(3);
  for (std::size_t size = 8; size <= 300; ++size) {
    std::set<std::uint64_t> hashes;
    std::string text(size, 'h');
    hashes.insert(hash_exactly(text, words));
    for (std::size_t at = 8; at < size; ++at) {
      text[at] = 'i';
      hashes.insert(hash_exactly(text, words));
      text[at] = 'h';
    }
    ASSERT_EQ(hashes.size(), size - 7) << size;
    text[0] = 'i';
    ASSERT_TRUE(hashes.insert(hash_exactly(text, words)).second) << size;
  }
}

// So a host of one letter, however often, has a place of its own for each length.
TEST(TextHash, IsAnotherForEachSizeOfALongText) {
  const record::Seed words = seed(3);
  std::set<std::uint64_t> hashes;
  for (std::size_t size = longest_of_three + 1; size <= 300; ++size)
    hashes.insert(hash_exactly(std::string(size, 'h'), words));
  EXPECT_EQ(hashes.size(), 300 - longest_of_three);
}

// How many of `texts` share one of 4,096 places with one before, under the worst of some seeds.
int most_shared(const std::vector<std::string>& texts) {
  int most = 0;
  for (std::uint32_t i = 0; i < 50; ++i) {
    const record::Seed words = seed(i);
    std::array<int, 4096> places{};
    int shared = 0;
    for (const std::string& text : texts) {
      if (places.at(place_of(hash_of(text, words), places.size()))++ > 0) ++shared;
    }
    most = std::max(most, shared);
  }
  return most;
}

// Chance has 418 of 2,000.
TEST(TextHash, SpreadsTextsThatDifferInAFewBytes) {
  for (const std::string behind : {".io", ".example.com", ".example.com:8443", ".with-a-long-name.example.com"}) {
    std::vector<std::string> numbered;
    std::vector<std::string> apart;  // in the low byte of three words: who knows the sum would choose them so
    for (int i = 0; i < 2000; ++i) {
      numbered.push_back("https://hooks-" + std::to_string(1000 + i) + behind);
      apart.push_back("https://abcdefghijkl" + behind);
      for (int at = 0, rest = i; at < 12; at += 4, rest /= 13)
        apart.back()[static_cast<std::size_t>(8 + at)] = static_cast<char>('a' + rest % 13);
    }
    EXPECT_LT(most_shared(numbered), 500) << behind;
    EXPECT_LT(most_shared(apart), 500) << behind;
  }
}

TEST(Equal, ComparesEveryByteOfTextsOfEverySize) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::vector<char> one = exactly(std::string(size, 'h'));
    std::vector<char> other = one;
    EXPECT_TRUE(equal(one.data(), other.data(), size)) << size;
    for (char& byte : other) {
      byte = 'i';
      ASSERT_FALSE(equal(one.data(), other.data(), size)) << size;
      byte = 'h';
    }
  }
}

TEST(EqualIn32, SaysOfEachByteWhetherItIsEqual) {
  for (unsigned at = 0; at < 32; ++at) {
    Stored stored;
    std::ranges::fill(stored.text, 'h');
    const std::string text(32, 'h');
    EXPECT_EQ(pieces::equal_in_32(text.data(), stored.text), 0xFFFF'FFFFU);
    stored.text[at] = 'i';
    EXPECT_EQ(pieces::equal_in_32(text.data(), stored.text), ~(1U << at));
    EXPECT_EQ(plain::equal_in_32(text.data(), stored.text), ~(1U << at));
  }
}

#ifdef __SSE2__
TEST(TextHash, IsTheSameOnEveryMachine) {
  std::mt19937 random{11};
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const record::Seed words = seed(i);
    std::array<char, longest_of_three> text{};
    for (char& byte : text) byte = static_cast<char>(random());
    const std::size_t size = 16 + random() % (longest_of_three - 15);
    ASSERT_EQ(plain::hash(text.data(), size, words), sse2::hash(text.data(), size, words));
  }
}
#endif

}  // namespace
}  // namespace event_metrics::delivery
