// What nearly every test includes, compiled once for all tests of a kind: it saves a second for each file. No file
// includes it, so it has no guard. The check builds with Clang without it: each file includes what it uses.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
