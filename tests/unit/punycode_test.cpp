#include "delivery/punycode.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace event_metrics::delivery {
namespace {

std::string encoded(std::u32string_view text, std::size_t room = 255) {
  std::vector<char> out(room);
  return {out.data(), punycode(text, out)};
}

// RFC 3492, section 7.1, and the names of the internet's test domains.
TEST(Punycode, EncodesAsTheRfcShows) {
  EXPECT_EQ(
      encoded(
          U"\u0644\u064A\u0647\u0645\u0627\u0628\u062A\u0643\u0644\u0645\u0648\u0634\u0639\u0631\u0628\u064A\u061F"),
      "egbpdaj6bu4bxfgehfvwxn");
  EXPECT_EQ(encoded(U"\u4ED6\u4EEC\u4E3A\u4EC0\u4E48\u4E0D\u8BF4\u4E2D\u6587"), "ihqwcrb4cv8a8dqg056pqjye");
  EXPECT_EQ(encoded(U"\u4ED6\u5011\u7232\u4EC0\u9EBD\u4E0D\u8AAA\u4E2D\u6587"), "ihqwctvzc91f659drss3x8bo0yb");
  EXPECT_EQ(encoded(U"Pro\u010Dprost\u011Bnemluv\u00ED\u010Desky"), "Proprostnemluvesky-uyb24dma41a");
  EXPECT_EQ(encoded(U"\u05DC\u05DE\u05D4\u05D4\u05DD\u05E4\u05E9\u05D5\u05D8\u05DC\u05D0\u05DE\u05D3\u05D1\u05E8\u05D9"
                    U"\u05DD\u05E2"
                    U"\u05D1\u05E8\u05D9\u05EA"),
            "4dbcagdahymbxekheh6e0a7fei0b");
  EXPECT_EQ(encoded(U"\u306A\u305C\u307F\u3093\u306A\u65E5\u672C\u8A9E\u3092\u8A71\u3057\u3066\u304F\u308C\u306A\u3044"
                    U"\u306E\u304B"),
            "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa");
  EXPECT_EQ(encoded(U"Porqu\u00E9nopuedensimplementehablarenEspa\u00F1ol"),
            "PorqunopuedensimplementehablarenEspaol-fmd56a");
  EXPECT_EQ(encoded(U"T\u1EA1isaoh\u1ECDkh\u00F4ngth\u1EC3ch\u1EC9n\u00F3iti\u1EBFngVi\u1EC7t"),
            "TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g");
  EXPECT_EQ(encoded(U"3\u5E74B\u7D44\u91D1\u516B\u5148\u751F"), "3B-ww4c5e180e575a65lsy2b");
  EXPECT_EQ(encoded(U"\u3072\u3068\u3064\u5C4B\u6839\u306E\u4E0B2"), "2-u9tlzr9756bt3uc0v");
  EXPECT_EQ(encoded(U"\u305D\u306E\u30B9\u30D4\u30FC\u30C9\u3067"), "d9juau41awczczp");
  EXPECT_EQ(encoded(U"-> $1.00 <-"), "-> $1.00 <--");
  EXPECT_EQ(encoded(U"m\u00fcnchen"), "mnchen-3ya");
  EXPECT_EQ(encoded(U"\u00fc"), "tda");
}

TEST(Punycode, CountsEqualCodePointsByTheirPlace) {
  EXPECT_EQ(encoded(U"\u00fc\u00fc"), "tdaa");
  EXPECT_EQ(encoded(U"\u00fca\u00fcb\u00fc"), "ab-wkabb");
}

TEST(Punycode, IsEmptyWhereItDoesNotFit) {
  EXPECT_EQ(encoded(U"m\u00fcnchen", 10), "mnchen-3ya");
  EXPECT_EQ(encoded(U"m\u00fcnchen", 9), "");
  EXPECT_EQ(encoded(U"m\u00fcnchen", 6), "");
  EXPECT_EQ(encoded(U"m\u00fcnchen", 0), "");
}

// The largest numbers there are: the highest code point behind as many others as can be.
TEST(Punycode, HasRoomForTheLargestNumbers) {
  std::u32string text(most_code_points - 1, U'a');
  text += U'\U0010FFFF';
  const std::string told = encoded(text, 300);
  EXPECT_EQ(told, std::string(254, 'a') + "-et4003u");
}

}  // namespace
}  // namespace event_metrics::delivery
