#include "event_metrics/config.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace {

// PROJECT_VERSION comes from Meson, the one place where a release changes it besides config.hpp.
TEST(Config, VersionIsTheProjects) {
  EXPECT_STREQ(EVENT_METRICS_VERSION_STRING, PROJECT_VERSION);

  int major = 0;
  int minor = 0;
  int patch = 0;
  ASSERT_EQ(std::sscanf(PROJECT_VERSION, "%d.%d.%d", &major, &minor, &patch), 3);
  EXPECT_EQ(EVENT_METRICS_VERSION, major * 10000 + minor * 100 + patch);
}

}  // namespace
