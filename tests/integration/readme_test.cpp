// The README's first program is the one in examples/, sends the datagram that is shown, and its Meson lines are those
// of the consumer that another test builds. The pages under docs/ hold C++ that compiles and links that lead somewhere.
// All of it rots otherwise.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "event_metrics/mock_event_metrics.hpp"
#include "integration/docs_snippets.hpp"
#include "integration/readme_service.hpp"
#include "support/agent.hpp"

namespace {

std::string file(const std::string& path) {
  std::ifstream stream{std::string{SOURCE_ROOT} + "/" + path};
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// The code blocks of `text` in one language, in order.
std::vector<std::string> blocks(const std::string& language, const std::string& text = file("README.md")) {
  const std::string fence = "\n```" + language + "\n";
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find(fence, at)) != std::string::npos;) {
    at += fence.size();
    found.push_back(text.substr(at, text.find("```", at) - at));
  }
  return found;
}

/// `text` without the blanks that begin its lines.
std::string unindented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != '\n')) out += c;
  }
  return out;
}

/// The pages under docs/, by their path from the root.
std::vector<std::string> pages() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{std::string{SOURCE_ROOT} + "/docs"}) {
    if (entry.path().extension() == ".md") found.push_back(entry.path().lexically_relative(SOURCE_ROOT));
  }
  return found;
}

TEST(Readme, FirstProgramIsTheExample) { EXPECT_EQ(blocks("cpp").at(0), file("examples/quickstart.cpp")); }

TEST(Readme, ShowsTheDatagramThatTheProgramSends) {
  const support::Agent agent;
  const std::string address = agent.address();  // a child's would be another
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(QUICKSTART, QUICKSTART, address.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(agent.wait_for_datagrams(1));
  EXPECT_EQ(agent.datagrams().front() + "\n", blocks("text").at(0));
}

TEST(Readme, ServiceIsTheOneThatIsCompiledHereAndCounts) {
  event_metrics::MockEventMetrics metrics;
  readme::deliver(metrics, {"https://hooks.example.com/T0"});
  EXPECT_EQ(metrics.success_count(), 1);
  EXPECT_EQ(metrics.active_task_count(), 0);
  EXPECT_NE(file("tests/integration/readme_service.hpp").find(blocks("cpp").at(1)), std::string::npos);
}

TEST(Readme, MesonLineIsTheConsumers) {
  EXPECT_NE(file("tests/consumer/meson.build").find(blocks("meson").at(0)), std::string::npos);
}

TEST(Readme, CommandsAreVerbsOfDev) {
  const std::string dev = file("dev");
  for (const std::string verb : {"demo", "test", "bench", "check"}) {
    EXPECT_NE(dev.find("\n  " + verb + ")\n"), std::string::npos) << verb;
  }
  EXPECT_EQ(blocks("sh").at(0), "./dev demo\n./dev test\n");
}

TEST(Readme, NamesFilesThatExist) {
  const std::string readme = file("README.md");
  int named = 0;
  for (const char* const opening : {"](", "| `tests/", ", `tests/"}) {
    for (std::size_t at = 0; (at = readme.find(opening, at)) != std::string::npos;) {
      at += std::string{opening}.size();
      std::string path = readme.substr(at, readme.find_first_of(")`", at) - at);
      if (opening[0] != ']') path.insert(0, "tests/");
      EXPECT_NE(file(path), "") << path;
      ++named;
    }
  }
  EXPECT_GE(named, 10);
}

TEST(Docs, SnippetsAreCompiled) {
  const std::string compiled = unindented(file("tests/integration/docs_snippets.hpp"));
  int snippets = 0;
  for (const std::string& page : pages()) {
    for (std::string snippet : blocks("cpp", unindented(file(page)))) {
      while (!snippet.empty() && snippet.back() == '\n') snippet.pop_back();
      EXPECT_NE(compiled.find(snippet), std::string::npos) << page << ":\n" << snippet;
      ++snippets;
    }
  }
  EXPECT_GE(snippets, 8);
}

/// What stands behind `key: ` in a file of one mapping.
std::string mapped(const std::string& mapping, const std::string& key) {
  const std::size_t at = mapping.find(key + ": ");
  if (at == std::string::npos) return "none";
  const std::size_t begin = at + key.size() + 2;
  return mapping.substr(begin, mapping.find('\n', begin) - begin);
}

/// The key under which statsd_exporter is sent durations.
std::string duration_key(const std::string& prefix) {
  const support::Agent agent;
  using namespace event_metrics;
  StatsdEventMetrics metrics{{.agent = statsd::Agent::statsd_exporter, .address = agent.address(), .prefix = prefix}};
  metrics.record_delivery_success("https://a.io/", std::chrono::milliseconds{7});
  EXPECT_TRUE(metrics.flush(std::chrono::seconds{5}) && agent.wait_for_datagrams(1));
  const std::map timings = agent.tally().timings;
  EXPECT_EQ(timings.size(), 1U);
  return timings.empty() ? "none" : timings.begin()->first.substr(0, timings.begin()->first.find('#'));
}

// The exporter does not start with a name or a glob that it cannot read (pkg/mapper/mapper.go), and makes a summary of
// what no mapping matches.
TEST(Docs, MappingsForStatsdExporterMatchWhatIsSent) {
  const std::regex name{"[a-zA-Z_][a-zA-Z0-9_]*"};
  const std::regex match{R"((\*|[a-zA-Z_](-?[a-zA-Z0-9_])*)(\.(\*|[a-zA-Z_](-?[a-zA-Z0-9_])*))*)"};
  for (const auto& [path, prefix] : std::map<std::string, std::string>{
           {"docs/agents/statsd_exporter.yml", ""}, {"docs/agents/statsd_exporter_prefix.yml", "shop."}}) {
    const std::string mapping = file(path);
    EXPECT_EQ(mapped(mapping, "match"), duration_key(prefix)) << path;
    EXPECT_TRUE(std::regex_match(mapped(mapping, "match"), match)) << path;
    EXPECT_TRUE(std::regex_match(mapped(mapping, "name"), name)) << path;
    std::string as_shown = duration_key(prefix);
    std::ranges::replace(as_shown, '.', '_');
    EXPECT_EQ(mapped(mapping, "name"), as_shown) << path;
    EXPECT_EQ(mapped(mapping, "observer_type"), "histogram") << path;
    EXPECT_EQ(mapped(mapping, "buckets"), "[0.1, 0.5, 1, 2.5, 5, 10]") << path;
  }
}

TEST(Docs, LinksLeadToFiles) {
  int links = 0;
  for (const std::string& page : pages()) {
    const std::string text = file(page);
    for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos; ++links) {
      at += 2;
      const std::string target = text.substr(at, text.find_first_of("#)", at) - at);
      const auto folder = std::filesystem::path{SOURCE_ROOT} / std::filesystem::path{page}.parent_path();
      EXPECT_TRUE(std::filesystem::is_regular_file(folder / target)) << page << ": " << target;
    }
  }
  EXPECT_GE(links, 30);
}

}  // namespace
