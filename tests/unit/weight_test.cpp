#include "wire/weight.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace event_metrics::wire {
namespace {

std::string rate(std::uint64_t weight) {
  std::array<char, longest_rate> text;
  char* const end = write_rate(text, weight);
  return end != nullptr ? std::string(text.data(), end) : "does not fit";
}

std::vector<std::uint64_t> pieces(std::uint64_t n, std::uint64_t most) {
  std::vector<std::uint64_t> out;
  for (; n > 0; n -= out.back()) out.push_back(next_weight(n, most));
  return out;
}

TEST(WholeRate, IsFalseWhereNoRateDividesBackToTheNumber) {
  for (const std::uint64_t n : {49U, 93U, 98U, 99U, 103U, 105U, 107U, 117U, 123U, 186U, 100'000U}) {
    EXPECT_FALSE(whole_rate(n)) << n;
  }
  for (const std::uint64_t n : {1U, 2U, 3U, 10U, 48U, 50U, 92U, 94U, 1'000U, 1'000'000U}) {
    EXPECT_TRUE(whole_rate(n)) << n;
  }
}

TEST(NextWeight, IsTheNumberItselfWhenItsRateIsWhole) {
  EXPECT_EQ(pieces(1, 1'000'000), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(pieces(10, 1'000'000), (std::vector<std::uint64_t>{10}));
  EXPECT_EQ(pieces(1'000'000, 1'000'000), (std::vector<std::uint64_t>{1'000'000}));
}

TEST(NextWeight, SplitsANumberWhoseRateIsNotWhole) {
  EXPECT_EQ(pieces(49, 1'000'000), (std::vector<std::uint64_t>{48, 1}));
  EXPECT_EQ(pieces(99, 1'000'000), (std::vector<std::uint64_t>{97, 2}));
}

TEST(NextWeight, NeverGoesPastTheMost) {
  EXPECT_EQ(pieces(25, 10), (std::vector<std::uint64_t>{10, 10, 5}));
  EXPECT_EQ(pieces(3, 1), (std::vector<std::uint64_t>{1, 1, 1}));
  EXPECT_EQ(pieces(2'049, 1'000), (std::vector<std::uint64_t>{1'000, 1'000, 48, 1}));
  EXPECT_EQ(next_weight(std::numeric_limits<std::uint64_t>::max(), 1'000'000), 1'000'000U);
  EXPECT_EQ(next_weight(60, 49), 48U) << "the most may itself have no whole rate";
}

TEST(NextWeight, IsNothingForNothing) { EXPECT_EQ(next_weight(0, 1'000'000), 0U); }

TEST(WriteRate, IsTheShortestFixedText) {
  EXPECT_EQ(rate(2), "0.5");
  EXPECT_EQ(rate(3), "0.3333333333333333");
  EXPECT_EQ(rate(10), "0.1");
  EXPECT_EQ(rate(1'000), "0.001");
  EXPECT_EQ(rate(1'000'000), "0.000001");
  EXPECT_EQ(rate(65'536), "0.0000152587890625");
}

TEST(WriteRate, SaysWhenItDoesNotFit) {
  std::array<char, 4> four;
  EXPECT_EQ(write_rate(four, 1'000), nullptr);
  EXPECT_EQ(write_rate(four, 4), four.data() + 4);
}

// What receivers find in one emitted rate.
struct Found {
  double weight = 1;
  std::size_t length = 0;
  bool plain = true;  // only digits and a point
};

Found read_back(std::uint64_t weight) {
  std::array<char, longest_rate + 1> text;
  char* const end = write_rate({text.data(), longest_rate}, weight);
  if (end == nullptr) return {.weight = 0};
  *end = '\0';
  bool plain = true;
  for (const char* c = text.data(); c != end; ++c) plain = plain && ((*c >= '0' && *c <= '9') || *c == '.');
  return {1.0 / std::strtod(text.data(), nullptr), static_cast<std::size_t>(end - text.data()), plain};
}

TEST(NextWeight, MakesAtMostTwoExactRatesOfEveryNumberUpToAMillion) {
  int most_lines = 0;
  std::size_t longest = 0;
  std::size_t wrong = 0;
  for (std::uint64_t n = 1; n <= 1'000'000; ++n) {
    int lines = 0;
    for (std::uint64_t left = n; left > 0 && lines < 3; ++lines) {
      const std::uint64_t weight = next_weight(left, 1'000'000);
      left -= weight;
      if (weight == 1) continue;  // a line without a rate
      const Found found = read_back(weight);
      if (found.weight != static_cast<double>(weight) || !found.plain) ++wrong;
      longest = std::max(longest, found.length);
    }
    most_lines = std::max(most_lines, lines);
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(most_lines, 2);
  EXPECT_EQ(longest, longest_rate);
}

}  // namespace
}  // namespace event_metrics::wire
