#include "statsd_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace statsd_line {
namespace {

using namespace std::string_literals;

/// The parts, parted by blanks; or what is wrong and where.
std::string read(std::string_view text) {
  const Result result = parse(text);
  if (const auto* wrong = std::get_if<Malformed>(&result)) return std::to_string(wrong->column) + ": " + wrong->reason;
  const auto& line = std::get<Line>(result);
  std::string parts = std::string{line.name} + ' ' + std::string{line.value} + ' ' + std::string{line.type};
  if (line.rate) parts += " x" + std::to_string(line.weight());
  for (const Tag& tag : line.tags) parts += " [" + std::string{tag.key} + "=" + std::string{tag.value} + "]";
  return parts;
}

TEST(StatsdLine, IsReadInItsParts) {
  EXPECT_EQ(read("shop.sold:3|c"), "shop.sold 3 c");
  EXPECT_EQ(read("load:0.25|g"), "load 0.25 g");
  EXPECT_EQ(read("load:-5|g"), "load -5 g");
  EXPECT_EQ(read("load:+5|g"), "load +5 g");
  EXPECT_EQ(read("took:12|ms|@0.02"), "took 12 ms x50");
  EXPECT_EQ(read("took:12|d|@1|#env:prod,bare,url:http://a"), "took 12 d x1 [env=prod] [bare=] [url=http://a]");
  EXPECT_EQ(read("took:12|h|#a:b"), "took 12 h [a=b]");
  EXPECT_EQ(read("who:any text:1|s"), "who any text:1 s");
}

TEST(StatsdLine, StandsForAsManyValuesAsItsRateSays) {
  const auto weight = [](const std::string& rate) { return std::get<Line>(parse("a:1|ms|@" + rate)).weight(); };
  EXPECT_EQ(weight("1"), 1U);
  EXPECT_EQ(weight("0.3333333333333333"), 3U);
  EXPECT_EQ(weight("0.334"), 2U);
  EXPECT_EQ(weight("0.000001"), 1'000'000U);
}

TEST(StatsdLine, SaysWhereTheNameGoesWrong) {
  EXPECT_EQ(read(""), "1: the line is empty");
  EXPECT_EQ(read(":1|c"), "1: the name is empty");
  EXPECT_EQ(read("name"), "5: no `:` and value follow the name");
  EXPECT_EQ(read("na|c"), "3: `|` comes before the value");
  EXPECT_EQ(read("na me:1|c"), "3: a blank or control byte in the name");
  EXPECT_EQ(read("na\0me:1|c"s), "3: a blank or control byte in the name");
}

TEST(StatsdLine, SaysWhereTheValueGoesWrong) {
  EXPECT_EQ(read("a:"), "3: the value is empty");
  EXPECT_EQ(read("a:|c"), "3: the value is empty");
  EXPECT_EQ(read("a:1"), "4: no `|` and type follow the value");
  EXPECT_EQ(read("a:1x|c"), "4: not a decimal number");
  EXPECT_EQ(read("a:1e5|c"), "4: not a decimal number");
  EXPECT_EQ(read("a:.5|c"), "3: not a decimal number");
  EXPECT_EQ(read("a:5.|c"), "4: not a decimal number");
  EXPECT_EQ(read("a:1.2.3|c"), "6: not a decimal number");
  EXPECT_EQ(read("a:nan|g"), "3: not a decimal number");
  EXPECT_EQ(read("a:1:2|ms"), "4: a second value, which most agents drop or misread");
  EXPECT_EQ(read("a:-1|c"), "3: a sign, which only a gauge may have");
  EXPECT_EQ(read("a:-|g"), "4: a sign without a number");
  EXPECT_EQ(read("a:x\ty|s"), "4: a control byte");
}

TEST(StatsdLine, SaysWhereTheTypeGoesWrong) {
  EXPECT_EQ(read("a:1|"), "5: the type is none of c, g, ms, h, d and s");
  EXPECT_EQ(read("a:1|m"), "5: the type is none of c, g, ms, h, d and s");
  EXPECT_EQ(read("a:1|c\r"), "5: the type is none of c, g, ms, h, d and s");
}

TEST(StatsdLine, SaysWhereTheRateGoesWrong) {
  EXPECT_EQ(read("a:1|c|@"), "8: the rate is empty");
  EXPECT_EQ(read("a:1|c|@0"), "8: the rate is not above 0 and at most 1");
  EXPECT_EQ(read("a:1|c|@2"), "8: the rate is not above 0 and at most 1");
  EXPECT_EQ(read("a:1|c|@-0.5"), "8: not a decimal number");
  EXPECT_EQ(read("a:1|c|@1e-05"), "9: not a decimal number");
  EXPECT_EQ(read("a:1|c|@0.5|@0.5"), "12: a second rate");
  EXPECT_EQ(read("a:1|c|@0." + std::string(20, '0') + "1"), "8: the rate stands for more values than can be counted");
  EXPECT_EQ(read("a:1|c|@0." + std::string(400, '0') + "1"), "8: the rate is not above 0 and at most 1");
}

TEST(StatsdLine, SaysWhereTheTagsGoWrong) {
  EXPECT_EQ(read("a:1|c|#"), "8: the tag is empty");
  EXPECT_EQ(read("a:1|c|#k:v,"), "12: the tag is empty");
  EXPECT_EQ(read("a:1|c|#k:v,:w"), "12: the tag has no key");
  EXPECT_EQ(read("a:1|c|#k:"), "9: the tag has no value");
  EXPECT_EQ(read("a:1|c|#k:v\x01"), "11: a control byte in a tag");
  EXPECT_EQ(read("a:1|c|#k:v|@0.5"), "12: a field follows the tags, which most agents take for a part of them");
}

TEST(StatsdLine, SaysWhichFieldIsUnknown) {
  EXPECT_EQ(read("a:1|c|"), "7: the field is empty");
  EXPECT_EQ(read("a:1|c||#k:v"), "7: the field is empty");
  EXPECT_EQ(read("a:1|c|T123"), "7: the field is neither a rate (@) nor tags (#)");
}

TEST(StatsdLine, IsTakenFromADatagramOneAfterAnother) {
  std::string_view datagram = "a\n\nb\n";
  std::vector<std::string> lines;
  while (!datagram.empty()) lines.emplace_back(next_line(datagram));
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "", "b"}));
}

TEST(StatsdLine, IsShownWithoutBytesThatATerminalWouldObey) {
  EXPECT_EQ(visible("a\x1b[2J\n\xc3\xa9"), "a\\x1b[2J\\x0a\\xc3\\xa9");
}

}  // namespace
}  // namespace statsd_line
