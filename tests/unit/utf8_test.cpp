#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace event_metrics {
namespace {

void expect(std::string_view text, char32_t value, std::size_t bytes) {
  const CodePoint point = code_point(text);
  EXPECT_EQ(point.bytes, bytes) << text;
  EXPECT_EQ(static_cast<std::uint32_t>(point.value), static_cast<std::uint32_t>(value)) << text;
}

TEST(CodePoint, IsTheFirstOfATextAtEveryLength) {
  expect("a\u00fc", U'a', 1);
  expect(std::string_view("\0", 1), U'\0', 1);
  expect("\x7f", 0x7F, 1);
  expect("\xc2\x80", 0x80, 2);
  expect("\xdf\xbf", 0x7FF, 2);
  expect("\xe0\xa0\x80", 0x800, 3);
  expect("\xed\x9f\xbf", 0xD7FF, 3);
  expect("\xee\x80\x80", 0xE000, 3);
  expect("\xef\xbf\xbf", 0xFFFF, 3);
  expect("\xf0\x90\x80\x80", 0x10000, 4);
  expect("\xf4\x8f\xbf\xbf", 0x10FFFF, 4);
  expect("\u6d4bx", U'\u6d4b', 3);
}

TEST(CodePoint, IsNoneWhereNoneBegins) {
  for (const std::string_view text : {"", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2 ", "\xc2\xc0",
                                      "\xe0\x9f\xbf", "\xe0\xa0", "\xe1\x80\x7f", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    expect(text, 0, 0);
  }
}

}  // namespace
}  // namespace event_metrics
