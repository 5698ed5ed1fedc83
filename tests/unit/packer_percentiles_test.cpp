// What an agent makes of the order in which durations are told: every stretch of a flush has to look like the whole.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "packer_rig.hpp"

namespace event_metrics {
namespace {

using Milliseconds = std::uint64_t;
/// By series, what its lines say, in their order: a line of weight n is n values.
using Told = std::map<std::string, std::vector<Milliseconds>>;

void read_lines(const std::string& datagram, Told& told) {
  for (std::size_t at = 0; at < datagram.size();) {
    const std::size_t end = std::min(datagram.find('\n', at), datagram.size());
    const std::string line = datagram.substr(at, end - at);
    at = end + 1;
    const std::size_t type = line.find("|ms");
    if (type == std::string::npos) continue;
    const std::size_t rate = line.find("|@");
    const std::size_t tags = std::min(line.find("|#"), line.size());
    const auto weight = rate == std::string::npos ? 1 : static_cast<std::size_t>(1 / std::stod(line.substr(rate + 2)));
    std::vector<Milliseconds>& values = told[line.substr(tags)];
    values.insert(values.end(), weight, std::stoul(line.substr(line.find(':') + 1)));
  }
}

/// The samples that Telegraf's running_stats.go keeps of an interval for its percentiles: when it has as many as it
/// may keep, a new one takes the place of any of them.
std::vector<Milliseconds> reservoir(const std::vector<Milliseconds>& told, std::size_t most, std::minstd_rand& random) {
  std::vector<Milliseconds> kept;
  for (const Milliseconds value : told) {
    if (kept.size() < most) {
      kept.push_back(value);
    } else {
      kept[std::uniform_int_distribution<std::size_t>{0, most - 1}(random)] = value;
    }
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// How far the kept samples' percentile is from being that of all values, as a part of them: 0.01 where it is the
/// 51st instead of the 50th.
double deviation(const std::vector<Milliseconds>& kept, const std::vector<Milliseconds>& all, double percentile) {
  const Milliseconds value = kept[static_cast<std::size_t>(percentile * static_cast<double>(kept.size()))];
  const auto [first, last] = std::equal_range(all.begin(), all.end(), value);
  const auto below = static_cast<double>(first - all.begin()) / static_cast<double>(all.size());
  const auto through = static_cast<double>(last - all.begin()) / static_cast<double>(all.size());
  return percentile < below ? below - percentile : percentile > through ? through - percentile : 0;
}

struct Workload {
  const char* name;
  std::function<Milliseconds(std::minstd_rand&, int endpoint)> draw;
  int endpoints = 1;
};

Milliseconds whole(double ms) { return static_cast<Milliseconds>(std::clamp(ms, 0.0, 4e6)); }

/// Five durations in eight are 7 ms, the others as many as there are between 10 ms and a minute.
Milliseconds spike(std::minstd_rand& random, int) {
  if (random() % 8 < 5) return 7;
  return whole(10 * std::pow(6000, std::uniform_real_distribution{}(random)));
}
Milliseconds log_normal(std::minstd_rand& random, int) { return whole(std::lognormal_distribution{4.0, 1.5}(random)); }
Milliseconds two_humps(std::minstd_rand& random, int) {
  return whole(random() % 10 < 3 ? std::normal_distribution{20.0, 5.0}(random)
                                 : std::normal_distribution{2000.0, 300.0}(random));
}
Milliseconds by_endpoint(std::minstd_rand& random, int endpoint) {
  return endpoint % 2 == 0 ? spike(random, endpoint) + 5 * static_cast<Milliseconds>(endpoint)
                           : log_normal(random, endpoint);
}

const Workload workloads[] = {
    {"spike", spike}, {"log-normal", log_normal}, {"two humps", two_humps}, {"8 endpoints", by_endpoint, 8}};

class Sender {
 public:
  Sender(statsd::Agent agent, const Workload& workload) : rig_{agent}, workload_{workload} {
    for (int endpoint = 0; endpoint < workload.endpoints; ++endpoint) {
      const std::string host = "e" + std::to_string(endpoint);
      urls_.push_back("https://" + host + "/");
      series_.push_back(rig_.rules.tags ? "|#endpoint:" + host : "");
    }
  }

  /// A flush after so many deliveries to each endpoint. What of it was told is added, and what was recorded.
  void flush(int deliveries, Told& told, Told& recorded, std::uint64_t turn_bytes = no_end) {
    for (std::size_t endpoint = 0; endpoint < urls_.size(); ++endpoint) {
      std::vector<Milliseconds>& values = recorded[series_[endpoint]];
      for (int i = 0; i < deliveries; ++i) {
        const Milliseconds ms = workload_.draw(random_, static_cast<int>(endpoint));
        rig_.recorder.success(urls_[endpoint], std::chrono::milliseconds{ms});
        values.push_back(record::value_of(record::cell_of(static_cast<std::uint32_t>(ms))));
        if (i % 500 == 0) (void)rig_.recorder.write_ahead();
      }
    }
    rig_.begin_round();
    rig_.packer.begin_turn(turn_bytes);
    while (rig_.packer.fill()) read_lines(std::string{rig_.packer.bytes()}, told);
    EXPECT_EQ(rig_.ledger.totals().coarse, 0u);
  }

 private:
  PackerRig rig_;
  const Workload& workload_;
  std::vector<std::string> urls_;
  std::vector<std::string> series_;
  std::minstd_rand random_{1};
};

struct Percentile {
  double part;
  double bound;  ///< of the mean deviation; a single reservoir of a thousand independent samples has a wider one
  double sum = 0;
};

// Over many intervals of the agent, since each has the error of its thousand samples.
void expect_true_percentiles(const Workload& workload, int flushes, int deliveries) {
  constexpr int intervals = 12;
  constexpr std::size_t percentile_limit = 1000;
  Sender sender{statsd::Agent::telegraf, workload};
  std::minstd_rand random{2};
  std::array<Percentile, 3> percentiles{{{0.5, 0.015}, {0.95, 0.007}, {0.99, 0.003}}};
  for (int interval = 0; interval < intervals; ++interval) {
    Told told;
    Told recorded;
    for (int flush = 0; flush < flushes; ++flush) sender.flush(deliveries, told, recorded);
    for (auto& [series, values] : recorded) {
      ASSERT_EQ(told[series].size(), values.size());
      std::sort(values.begin(), values.end());
      const std::vector<Milliseconds> kept = reservoir(told[series], percentile_limit, random);
      for (Percentile& percentile : percentiles) {
        const double off = deviation(kept, values, percentile.part);
        EXPECT_LE(std::abs(off), 4 * percentile.bound) << workload.name << series << ", " << percentile.part;
        percentile.sum += off;
      }
    }
  }
  for (const Percentile& percentile : percentiles) {
    EXPECT_LE(std::abs(percentile.sum) / (intervals * workload.endpoints), percentile.bound)
        << workload.name << ", " << percentile.part;
  }
}

TEST(PackerPercentiles, AreTrueInTelegrafsReservoirWithFlushesOfASecond) {
  for (const Workload& workload : workloads) expect_true_percentiles(workload, 2, 10'000 / workload.endpoints);
}

TEST(PackerPercentiles, AreTrueInTelegrafsReservoirWithFlushesOfAFifthOfASecond) {
  for (const Workload& workload : workloads) expect_true_percentiles(workload, 10, 2'000 / workload.endpoints);
}

// The commonest value's share of each tenth of a flush is its share of the whole, give or take a hundredth and four
// lines of ten.
TEST(PackerPercentiles, HaveTheSameSharesInEveryTenthOfAFlush) {
  for (const statsd::Agent agent : {statsd::Agent::telegraf, statsd::Agent::plain}) {
    for (const Workload& workload : workloads) {
      Sender sender{agent, workload};
      Told told;
      Told recorded;
      sender.flush(20'000 / workload.endpoints, told, recorded);
      for (const auto& [series, values] : told) {
        std::map<Milliseconds, std::size_t> counts;
        for (const Milliseconds value : values) ++counts[value];
        const auto heavy = std::max_element(counts.begin(), counts.end(),
                                            [](const auto& a, const auto& b) { return a.second < b.second; });
        const double share = static_cast<double>(heavy->second) / static_cast<double>(values.size());
        for (std::size_t tenth = 0; tenth < 10; ++tenth) {
          const auto first = values.begin() + static_cast<std::ptrdiff_t>(values.size() * tenth / 10);
          const auto last = values.begin() + static_cast<std::ptrdiff_t>(values.size() * (tenth + 1) / 10);
          const double part =
              static_cast<double>(std::count(first, last, heavy->first)) / static_cast<double>(last - first);
          EXPECT_NEAR(part, share, 0.01 + 40.0 / static_cast<double>(last - first))
              << workload.name << series << ", tenth " << tenth;
        }
      }
    }
  }
}

// Where ten turns have room for a twentieth of the lines.
TEST(PackerPercentiles, AreTrueWhereALineTellsSeveralNeighbours) {
  for (const statsd::Agent agent : {statsd::Agent::telegraf, statsd::Agent::plain, statsd::Agent::datadog}) {
    for (const Workload& workload : workloads) {
      if (workload.endpoints > 1 && !wire::rules_of(agent).tags) continue;
      Sender sender{agent, workload};
      Told told;
      Told recorded;
      sender.flush(20'000 / workload.endpoints, told, recorded, 20'000 * 41 / 20 / Packer::most_turns);
      for (auto& [series, values] : recorded) {
        std::sort(values.begin(), values.end());
        std::vector<Milliseconds>& kept = told[series];
        EXPECT_EQ(kept.size() == values.size(), agent == statsd::Agent::datadog) << workload.name;
        std::sort(kept.begin(), kept.end());
        for (const double part : {0.5, 0.95, 0.99}) {
          EXPECT_LE(std::abs(deviation(kept, values, part)), 0.01) << workload.name << series << ", " << part;
        }
      }
    }
  }
}

}  // namespace
}  // namespace event_metrics
