#include "base/quoted.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace event_metrics {
namespace {

using namespace std::string_view_literals;

TEST(Quoted, EscapesWhatCouldBreakALineOrEndTheQuotes) {
  EXPECT_EQ(event_metrics::quoted("shop."), R"("shop.")");
  EXPECT_EQ(event_metrics::quoted(""), R"("")");
  EXPECT_EQ(event_metrics::quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(event_metrics::quoted("a\nb\0c\x7f\xc3\xa4"sv), R"("a\x0ab\x00c\x7f\xc3\xa4")");
}

TEST(Quoted, CutsAfterTwoHundredBytes) {
  EXPECT_EQ(event_metrics::quoted(std::string(200, 'a')), '"' + std::string(200, 'a') + '"');
  EXPECT_EQ(event_metrics::quoted(std::string(201, 'a')), '"' + std::string(200, 'a') + "...\"");
}

}  // namespace
}  // namespace event_metrics
