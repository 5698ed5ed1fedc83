#include "delivery/scan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace event_metrics::delivery {
namespace {

// Every length around the sixteen bytes that are looked at together, each in memory that ends where the text does.
TEST(FindFirst, FindsTheFirstOfTheBytesBehindFrom) {
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

TEST(FindFirst, ReturnsTheSizeWhenNoneIsThere) {
  for (std::size_t size = 0; size <= 70; ++size) {
    const std::string text = "/" + std::string(size, '\xFF') + "/";
    const std::string_view between = std::string_view{text}.substr(1, size);
    for (std::size_t from = 0; from <= size; ++from) ASSERT_EQ((find_first<'/', '#'>(between, from)), size);
  }
}

TEST(FindFirst, FindsTheFirstByteThatIsNotPlain) {
  for (std::size_t size = 1; size <= 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, "az09-."[at % 6]);
      for (std::size_t from = 0; from <= size; ++from) ASSERT_EQ(find_first_not_plain(text, from), size);
      text[at] = "@`{,:A_/\x80"[at % 9];
      for (std::size_t from = 0; from <= size; ++from)
        ASSERT_EQ(find_first_not_plain(text, from), from <= at ? at : size);
    }
  }
}

}  // namespace
}  // namespace event_metrics::delivery
