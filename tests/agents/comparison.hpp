// agents/comparison.hpp - what was recorded beside what an agent reported; and how an agent comes to its configuration.

#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "support/process.hpp"

namespace agents {

/// A table with a verdict per number, printed at the end. A number that has to be equal and isn't fails the test.
class Comparison {
 public:
  explicit Comparison(std::string agent) : agent_{std::move(agent)} {}
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;
  ~Comparison() {
    std::printf("\n%-17s | %-36s | %12s | %12s |\n", "agent", "number", "recorded", "reported");
    for (const Row& row : rows_) {
      std::printf("%-17s | %-36s | %12s | %12s | %s\n", agent_.c_str(), row.number.c_str(), row.recorded.c_str(),
                  row.reported.c_str(), row.verdict.c_str());
    }
    std::printf("\n");
    (void)std::fflush(stdout);
  }

  void equal(const std::string& number, double recorded, double reported) {
    rows_.push_back({number, text(recorded), text(reported), recorded == reported ? "equal" : "DIFFERENT"});
    EXPECT_EQ(recorded, reported) << agent_ << ": " << number;
  }
  /// Where an agent cannot report what was recorded: `as_it_must` is whether it reports what follows from `why`.
  void differs(const std::string& number, double recorded, double reported, bool as_it_must, const std::string& why) {
    rows_.push_back({number, text(recorded), text(reported), as_it_must ? why : "DIFFERENT, and not because " + why});
    EXPECT_TRUE(as_it_must) << agent_ << ": " << number << ": " << recorded << ", reported " << reported;
  }

 private:
  struct Row {
    std::string number, recorded, reported, verdict;
  };
  static std::string text(double value) {
    char text[32];
    (void)std::snprintf(text, sizeof text, "%.10g", value);
    return text;
  }

  std::string agent_;
  std::vector<Row> rows_;
};

/// A folder of its own, gone with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "event-metrics-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

  /// Writes tests/agents/<file>.in with every @KEY@ replaced, and returns the path of what was written.
  std::string configure(const std::string& file, const std::map<std::string, std::string>& values) const {
    std::ifstream in{std::string{AGENTS} + "/" + file + ".in"};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    for (const auto& [key, value] : values) {
      const std::string mark = "@" + key + "@";
      for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
        text.replace(at, mark.size(), value);
      }
    }
    EXPECT_FALSE(text.empty()) << file;
    EXPECT_EQ(text.find('@'), std::string::npos) << file << ": " << text.substr(text.find('@') % text.size(), 20);
    const std::string path = path_ + "/" + std::filesystem::path{file}.filename().string();
    std::ofstream{path} << text;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace agents

/// Skips a test whose program is not there, by name; where ./dev has installed all of them, it fails.
#define AGENTS_NEED(found, program)                                                         \
  if (!(found)) {                                                                           \
    if (std::getenv("EVENT_METRICS_AGENTS") != nullptr) FAIL() << program << " is missing"; \
    GTEST_SKIP() << program << " is missing; `./dev test agents` installs it";              \
  }
