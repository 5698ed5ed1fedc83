// Any deliveries, to any agent, in any number of turns, over a real socket: the lines read back add up to what was
// recorded, and there is no line, field or series more.

#include <fuzzer/FuzzedDataProvider.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "delivery/delivery_keys.hpp"
#include "delivery/host_label.hpp"
#include "event_metrics/statsd_event_metrics.hpp"
#include "fuzz/fuzz.hpp"
#include "record/cells.hpp"
#include "statsd_socket.hpp"
#include "wire/tags.hpp"

using namespace event_metrics;

namespace {

struct Series {
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::map<std::uint64_t, std::uint64_t> durations;  // how many of each value

  bool operator==(const Series&) const = default;
};
/// By the tags at the end of the lines.
struct State {
  std::map<std::string, Series> series;
  std::int64_t gauge = 0;
};

/// What should arrive, kept in the plainest way.
class Recorded {
 public:
  Recorded(const wire::AgentRules& rules, std::size_t max_endpoints) : rules_{rules}, max_endpoints_{max_endpoints} {}

  Series& series(std::string_view url) { return state.series[suffix(url)]; }

  State state;

 private:
  std::string suffix(std::string_view url) {
    const delivery::HostLabel host = delivery::host_label(delivery::host_key(url));
    std::string label = host.size == 0 ? "invalid" : std::string{host.text()};
    if (host.size != 0) {
      if (labels_.size() < max_endpoints_) labels_.insert(label);
      if (!labels_.contains(label)) label = "other";
    }
    const statsd::Tag tag{"endpoint", label};
    return wire::tag_suffix(rules_, {&tag, 1});
  }

  const wire::AgentRules& rules_;
  std::size_t max_endpoints_;
  std::set<std::string> labels_;
};

class Received {
 public:
  explicit Received(const wire::AgentRules& rules) : rules_{rules}, keys_{delivery_keys(rules, "")} {}

  void datagram(std::string_view datagram) {
    while (!datagram.empty()) read(statsd_line::next_line(datagram));
  }
  /// What of each series the counter of attempts said.
  const std::map<std::string, std::uint64_t>& attempts() const { return attempts_; }

  State state;

 private:
  void read(std::string_view text) {
    const statsd_line::Line line = fuzz::line(text);
    const std::size_t tags = text.find("|#");
    const std::string suffix{tags == std::string_view::npos ? std::string_view{} : text.substr(tags)};
    if (line.name == keys_.active_tasks) return gauge(line, suffix);
    const std::uint64_t value = std::stoull(std::string{line.value});
    if (line.name == keys_.duration) {
      fuzz::require(line.type == "ms", "a duration is a timing", text);
      state.series[suffix].durations[value] += line.weight();
      return;
    }
    fuzz::require(line.type == "c" && !line.rate, "all others are counters", text);
    if (line.name == keys_.attempts)
      attempts_[suffix] += value;
    else if (line.name == keys_.successes)
      state.series[suffix].successes += value;
    else if (line.name == keys_.failures)
      state.series[suffix].failures += value;
    else
      fuzz::require(false, "there are five metrics", text);
  }

  void gauge(const statsd_line::Line& line, const std::string& suffix) {
    fuzz::require(line.type == "g" && !line.rate && suffix.empty(), "the gauge is one", line.name);
    const bool change = rules_.negative_gauge_is_delta && (line.value[0] == '-' || line.value[0] == '+');
    const std::int64_t value = std::stoll(std::string{line.value});
    state.gauge = change ? state.gauge + value : value;
  }

  const wire::AgentRules& rules_;
  DeliveryKeys keys_;
  std::map<std::string, std::uint64_t> attempts_;
};

void compare(const Recorded& recorded, const Received& received) {
  fuzz::require(received.state.gauge == recorded.state.gauge, "the gauge is what it was");
  for (const auto& [suffix, series] : recorded.state.series) {
    const auto arrived = received.state.series.find(suffix);
    fuzz::require(arrived != received.state.series.end() && arrived->second == series, "the series is what it was",
                  suffix);
    fuzz::require(received.attempts().at(suffix) == series.successes + series.failures, "attempts are both", suffix);
  }
  for (const auto& [suffix, series] : received.state.series) {
    fuzz::require(recorded.state.series.contains(suffix) || series == Series{}, "there is no series more", suffix);
  }
}

void deliver(FuzzedDataProvider& input, EventMetrics& metrics, Recorded& recorded) {
  const std::string url = input.ConsumeRandomLengthString(300);
  switch (input.ConsumeIntegralInRange(0, 4)) {
    case 0: {
      const std::chrono::nanoseconds duration{input.ConsumeIntegral<std::int64_t>() >>
                                              input.ConsumeIntegralInRange(0, 63)};
      const std::uint32_t times = input.ConsumeIntegralInRange<std::uint32_t>(1, 12);
      for (std::uint32_t i = 0; i < times; ++i) metrics.record_delivery_success(url, duration);
      Series& series = recorded.series(url);
      series.successes += times;
      series.durations[record::value_of(record::cell_of(record::whole_milliseconds(duration)))] += times;
      return;
    }
    case 1:
      metrics.record_delivery_failure(url, input.ConsumeIntegral<int>());
      ++recorded.series(url).failures;
      return;
    case 2:
      metrics.record_delivery_error(url);
      ++recorded.series(url).failures;
      return;
    case 3:
      metrics.increment_active_tasks();
      ++recorded.state.gauge;
      return;
    default:
      metrics.decrement_active_tasks();
      --recorded.state.gauge;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static statsd_socket::Socket socket{"unix:///tmp/event-metrics-fuzz-" + std::to_string(::getpid()) + ".sock"};
  while (socket.receive()) continue;  // the last client's last gauge
  FuzzedDataProvider input{data, size};
  const auto rows = wire::all_rules();
  const wire::AgentRules& rules = rows[input.ConsumeIntegralInRange<std::size_t>(0, rows.size() - 1)];
  const std::size_t max_endpoints = input.ConsumeIntegralInRange<std::size_t>(1, 4);
  Recorded recorded{rules, max_endpoints};
  Received received{rules};
  StatsdEventMetrics metrics{{.agent = rules.agent,
                              .address = socket.address(),
                              .close_timeout = std::chrono::milliseconds{0},
                              .max_memory_bytes = 8U << 20U,
                              .own_thread = false,
                              .on_error = [](std::string_view) {}},
                             {.max_endpoints = max_endpoints}};
  const auto receive = [&] {
    while (const auto datagram = socket.receive()) received.datagram(*datagram);
  };
  while (input.remaining_bytes() > 0) {
    deliver(input, metrics, recorded);
    if (input.ConsumeIntegralInRange(0, 15) != 15) continue;  // 0 where the input has ended
    (void)metrics.flush(std::chrono::milliseconds{0});
    receive();
  }
  while (!metrics.flush(std::chrono::milliseconds{20})) receive();  // the socket's queue holds ten datagrams
  receive();
  compare(recorded, received);
  return 0;
}
