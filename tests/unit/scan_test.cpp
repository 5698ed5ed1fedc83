#include "delivery/scan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace event_metrics::delivery {
namespace {

template <char... bytes>
std::size_t find_first(std::string_view text, std::size_t from) {
  return find_byte<OneOf<bytes...>, true>(text, from);
}

// Every length around the sixteen bytes that are looked at together, each in memory that ends where the text does.
TEST(FindByte, FindsTheFirstOfTheBytesBehindFrom) {
  for (std::size_t size = 0; size <= 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '?';
      if (at + 3 < size) text[at + 3] = '/';
      for (std::size_t from = 0; from <= size; ++from) {
        const std::size_t second = at + 3 < size && at + 3 >= from ? at + 3 : size;
        ASSERT_EQ((find_first<'/', '?'>(text, from)), from <= at ? at : second) << size << ' ' << at << ' ' << from;
        ASSERT_EQ((find_first<'/'>(text, from)), second) << size << ' ' << at << ' ' << from;
      }
    }
  }
}

TEST(FindByte, ReturnsTheSizeWhenNoneIsThere) {
  for (std::size_t size = 0; size <= 70; ++size) {
    const std::string text = "/" + std::string(size, '\xFF') + "/";
    const std::string_view between = std::string_view{text}.substr(1, size);
    for (std::size_t from = 0; from <= size; ++from) ASSERT_EQ((find_first<'/', '#'>(between, from)), size);
  }
}

TEST(FindByte, FindsTheFirstByteThatIsNotPlain) {
  for (std::size_t size = 1; size <= 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, "az09-./"[at % 7]);
      for (std::size_t from = 0; from <= size; ++from) ASSERT_EQ((find_byte<Plain, false>(text, from)), size);
      text[at] = "@`{,:A_\x80"[at % 8];
      for (std::size_t from = 0; from <= size; ++from)
        ASSERT_EQ((find_byte<Plain, false>(text, from)), from <= at ? at : size);
    }
  }
}

TEST(FindIn32, FindsTheFirstByteThatIsOrIsNotOfAKind) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_end = c == '/' || c == '?';
    const bool is_plain = std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789-./"}.find(c) != std::string_view::npos;
    for (unsigned at = 0; at < 32; ++at) {
      std::string text(32, 'h');
      text[at] = c;
      ASSERT_EQ((find_in_32<OneOf<'/', '?'>, true>(text.data())), is_end ? at : 32U) << byte;
      ASSERT_EQ((find_in_32<Plain, false>(text.data())), is_plain ? 32U : at) << byte;
    }
  }
  EXPECT_EQ((find_in_32<OneOf<'/', '?'>, true>("hhhhhhhhhhhhhhh?/hhhhhhhhhhhhhh/")), 15U);
  EXPECT_EQ((find_in_32<Plain, false>("hhhhhhhhhhhhhhhh:::hhhhhhhhhhhh:")), 16U);
}

}  // namespace
}  // namespace event_metrics::delivery
