#include "base/refuse.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "base/quoted.hpp"

namespace event_metrics {
namespace {

TEST(Refuse, ThrowsOneSentenceOfFieldFaultAndAdvice) {
  try {
    refuse("Options.prefix", "is " + event_metrics::quoted("9\n"), "write letters");
  } catch (const std::invalid_argument& refusal) {
    EXPECT_EQ(std::string{refusal.what()}, R"(Options.prefix is "9\x0a": write letters)");
  }
}

}  // namespace
}  // namespace event_metrics
