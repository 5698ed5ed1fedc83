#include "wire/datagram.hpp"

#include <gtest/gtest.h>

#include <array>
#include <clocale>
#include <limits>
#include <locale>
#include <string>
#include <string_view>
#include <vector>

#include "wire/weight.hpp"

namespace event_metrics::wire {
namespace {

using statsd::Agent;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

std::string written(Agent agent, const std::vector<Line>& group) {
  Datagram datagram(rules_of(agent), 1432);
  EXPECT_TRUE(datagram.add(group));
  return std::string(datagram.bytes());
}

TEST(Datagram, WritesEachKindOfLine) {
  EXPECT_EQ(written(Agent::plain, {{"a.b", Kind::counter, 3}}), "a.b:3|c");
  EXPECT_EQ(written(Agent::plain, {{"a.b", Kind::gauge, 4}}), "a.b:4|g");
  EXPECT_EQ(written(Agent::plain, {{"a.b", Kind::timing, 12}}), "a.b:12|ms");
  EXPECT_EQ(written(Agent::datadog, {{"a.b", Kind::distribution, 12}}), "a.b:12|d");
}

TEST(Datagram, PutsRateBeforeTags) {
  EXPECT_EQ(written(Agent::datadog,
                    {{"notification.delivery.duration", Kind::timing, 12, 2, "|#endpoint:hooks.example.com"}}),
            "notification.delivery.duration:12|ms|@0.5|#endpoint:hooks.example.com");
  EXPECT_EQ(written(Agent::datadog, {{"x", Kind::distribution, 12, 3, "|#a:b"}}), "x:12|d|@0.3333333333333333|#a:b");
}

TEST(Datagram, WritesNoRateForOneTiming) {
  EXPECT_EQ(written(Agent::datadog, {{"x", Kind::timing, 12, 1, "|#a:b"}}), "x:12|ms|#a:b");
}

TEST(Datagram, PartsLinesByLineBreaksWithoutOneAtTheEnd) {
  Datagram datagram(rules_of(Agent::datadog), 100);
  const std::array<Line, 2> first = {{{"a", Kind::counter, 1}, {"b", Kind::counter, 2}}};
  const std::array<Line, 1> second = {{{"c", Kind::gauge, 3}}};
  EXPECT_TRUE(datagram.add(first));
  EXPECT_TRUE(datagram.add(second));
  EXPECT_EQ(datagram.bytes(), "a:1|c\nb:2|c\nc:3|g");
}

TEST(Datagram, WritesEveryDigitOfTheExtremes) {
  EXPECT_EQ(written(Agent::datadog, {{"a", Kind::counter, highest}}), "a:9223372036854775807|c");
  EXPECT_EQ(written(Agent::datadog, {{"a", Kind::gauge, lowest}}), "a:-9223372036854775808|g");
  EXPECT_EQ(written(Agent::datadog, {{"a", Kind::counter, 0}}), "a:0|c");
}

TEST(Datagram, SaysANegativeGaugeAsZeroAndADeltaUnlessTheAgentSetsIt) {
  const std::vector<Line> minus_five = {{"t", Kind::gauge, -5, 1, "|#k:v"}};
  EXPECT_EQ(written(Agent::datadog, minus_five), "t:-5|g|#k:v");
  EXPECT_EQ(written(Agent::gostatsd, minus_five), "t:-5|g|#k:v");
  for (const Agent agent :
       {Agent::telegraf, Agent::statsd_exporter, Agent::graphite, Agent::cloudwatch, Agent::vector}) {
    EXPECT_EQ(written(agent, minus_five), "t:0|g|#k:v\nt:-5|g|#k:v") << to_string(agent);
  }
  for (const Agent agent : {Agent::etsy, Agent::plain, Agent::collectd, Agent::netdata}) {
    EXPECT_EQ(written(agent, {{"t", Kind::gauge, -5}}), "t:0|g\nt:-5|g") << to_string(agent);
  }
  EXPECT_EQ(written(Agent::plain, {{"t", Kind::gauge, 0}}), "t:0|g");
  EXPECT_EQ(written(Agent::plain, {{"t", Kind::counter, -5}}), "t:-5|c");
}

// Adds `group` to a datagram already filled to every possible level: it is there whole, or not at all.
void expect_all_or_nothing(Agent agent, const std::vector<Line>& group, std::string_view text) {
  constexpr std::size_t limit = 150;
  for (std::size_t fill = 5; fill <= limit; ++fill) {
    Datagram datagram(rules_of(agent), limit);
    const std::string name(fill - 4, 'f');
    const Line filler{name, Kind::counter, 7};
    ASSERT_TRUE(datagram.add({&filler, 1}));
    const std::string before = name + ":7|c";
    ASSERT_EQ(datagram.bytes(), before);

    const bool fits = fill + 1 + text.size() <= limit;
    ASSERT_EQ(datagram.add(group), fits) << fill;
    ASSERT_EQ(datagram.bytes(), fits ? before + "\n" + std::string(text) : before) << fill;
    ASSERT_LE(datagram.bytes().size(), limit);
  }
}

TEST(Datagram, TakesThreeCountersOrNoneAtEveryFillLevel) {
  expect_all_or_nothing(Agent::datadog,
                        {{"attempts", Kind::counter, 30, 1, "|#e:h"},
                         {"successes", Kind::counter, 20, 1, "|#e:h"},
                         {"failures", Kind::counter, 10, 1, "|#e:h"}},
                        "attempts:30|c|#e:h\nsuccesses:20|c|#e:h\nfailures:10|c|#e:h");
}

TEST(Datagram, NeverSplitsANegativeGaugeAtAnyFillLevel) {
  expect_all_or_nothing(Agent::telegraf, {{"active", Kind::gauge, -5, 1, "|#k:v"}},
                        "active:0|g|#k:v\nactive:-5|g|#k:v");
}

TEST(Datagram, NeverCutsAWeightedLineAtAnyFillLevel) {
  expect_all_or_nothing(Agent::datadog, {{"x", Kind::timing, 4095, 3, "|#k:v"}}, "x:4095|ms|@0.3333333333333333|#k:v");
}

// Made with every limit, and lowered to every limit.
void expect_never_past_any_limit(const std::vector<Line>& group, std::string_view text) {
  for (std::size_t limit = 0; limit <= 100; ++limit) {
    Datagram made(rules_of(Agent::datadog), limit);
    Datagram shrunk(rules_of(Agent::datadog), 1432);
    shrunk.shrink(limit);
    for (Datagram* const datagram : {&made, &shrunk}) {
      EXPECT_EQ(datagram->limit(), limit);
      EXPECT_EQ(datagram->add(group), text.size() <= limit) << limit;
      EXPECT_EQ(datagram->bytes(), text.size() <= limit ? text : "") << limit;
    }
  }
}

TEST(Datagram, NeverGoesPastAnyLimit) {
  const Line counter{"attempts", Kind::counter, 123'456};
  const Line timing{"x", Kind::timing, 4095, 3, "|#k:v"};
  expect_never_past_any_limit({counter, timing}, "attempts:123456|c\nx:4095|ms|@0.3333333333333333|#k:v");
  expect_never_past_any_limit({timing, counter}, "x:4095|ms|@0.3333333333333333|#k:v\nattempts:123456|c");
}

TEST(Datagram, IsEmptyAgainAfterClear) {
  Datagram datagram(rules_of(Agent::datadog), 10);
  const Line line{"a", Kind::counter, 1};
  EXPECT_TRUE(datagram.empty());
  EXPECT_TRUE(datagram.add({&line, 1}));
  EXPECT_FALSE(datagram.empty());
  EXPECT_FALSE(datagram.add({&line, 1}));
  datagram.clear();
  EXPECT_TRUE(datagram.empty());
  EXPECT_TRUE(datagram.add({&line, 1}));
  EXPECT_EQ(datagram.bytes(), "a:1|c");
}

TEST(Datagram, KeepsItsMemory) {
  Datagram datagram(rules_of(Agent::datadog), 1432);
  const char* const memory = datagram.bytes().data();
  const Line line{"a", Kind::counter, 1};
  while (datagram.add({&line, 1})) {
  }
  EXPECT_EQ(datagram.bytes().size(), 1427U) << "238 lines of six bytes, the last without its line break";
  EXPECT_EQ(datagram.bytes().data(), memory);
}

TEST(Datagram, TakesLessAfterShrink) {
  Datagram datagram(rules_of(Agent::datadog), 11);
  const Line line{"a", Kind::counter, 1};
  const std::array<Line, 2> two = {line, line};
  EXPECT_TRUE(datagram.add(two));
  datagram.shrink(10);
  EXPECT_TRUE(datagram.empty());
  EXPECT_EQ(datagram.limit(), 10U);
  EXPECT_FALSE(datagram.add(two));
  EXPECT_TRUE(datagram.add({&line, 1}));
  datagram.shrink(4000);
  EXPECT_EQ(datagram.limit(), 10U) << "it never grows";
}

// The sum of the weights in `text`, as a receiver that truncates 1/rate counts them.
std::uint64_t weights(std::string_view text) {
  std::uint64_t sum = 0;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    sum += static_cast<std::uint64_t>(1.0 / std::stod(std::string(text.substr(at + 1))));
  }
  return sum;
}

TEST(Datagram, WritesWeightsThatAReceiverSumsToWhatIsOwed) {
  for (std::uint64_t n = 20; n <= 1'000'000; n += 1 + n / 50) {
    std::vector<Line> lines;
    for (std::uint64_t left = n; left > 0; left -= lines.back().weight) {
      lines.push_back({"x", Kind::timing, 12, next_weight(left, 1'000'000)});
    }
    const std::string text = written(Agent::datadog, lines);
    const std::uint64_t single = lines.back().weight == 1 ? 1 : 0;
    EXPECT_EQ(weights(text) + single, n) << text;
  }
}

TEST(Longest, IsReachedByTheWorstValues) {
  constexpr std::uint64_t worst_weight = 131'085;  // its rate has 24 characters
  for (const AgentRules& rules : all_rules()) {
    const std::uint64_t weight = rules.timing_weight_max == 1'000'000 ? worst_weight : 1;
    const bool rated = rules.timing_weight_max > 1 || rules.rate_counts;
    const std::size_t spare = rated && weight == 1 ? 2 + longest_rate : 0;
    const std::vector<Line> group = {{"counter", Kind::counter, lowest, 1, "|#k:v"},
                                     {"gauge", Kind::gauge, lowest, 1, "|#k:v"},
                                     {"timing", Kind::timing, lowest, weight, "|#k:v"}};
    EXPECT_EQ(longest(rules, group), written(rules.agent, group).size() + spare) << rules.name;
  }
}

TEST(Longest, DependsOnNoValue) {
  const std::vector<Line> low = {{"a", Kind::gauge, 1}, {"b", Kind::timing, 1, 1}};
  const std::vector<Line> high = {{"a", Kind::gauge, lowest}, {"b", Kind::timing, highest, 1'000}};
  for (const AgentRules& rules : all_rules()) EXPECT_EQ(longest(rules, low), longest(rules, high)) << rules.name;
}

TEST(Longest, IsNothingForNothing) { EXPECT_EQ(longest(rules_of(Agent::datadog), {}), 0U); }

class GroupedDigits : public std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

// The C++ global locale, and the C one where this machine has another, for as long as it lives.
class ForeignLocale {
 public:
  ForeignLocale() : before_(std::locale::global(std::locale(std::locale::classic(), new GroupedDigits))) {
    std::setlocale(LC_ALL, "de_DE.UTF-8");  // NOLINT(concurrency-mt-unsafe): tests run on one thread
  }
  ~ForeignLocale() {
    std::setlocale(LC_ALL, "C");  // NOLINT(concurrency-mt-unsafe)
    std::locale::global(before_);
  }
  ForeignLocale(const ForeignLocale&) = delete;
  ForeignLocale& operator=(const ForeignLocale&) = delete;

 private:
  std::locale before_;
};

TEST(Datagram, WritesTheSameInEveryLocale) {
  const ForeignLocale locale;
  EXPECT_EQ(written(Agent::datadog, {{"x", Kind::timing, 1'234'567, 2}}), "x:1234567|ms|@0.5");
  EXPECT_EQ(written(Agent::plain, {{"x", Kind::gauge, -1'234'567}}), "x:0|g\nx:-1234567|g");
}

}  // namespace
}  // namespace event_metrics::wire
