#include "demo/report.hpp"

#include <algorithm>  // std::max
#include <array>      // buckets, columns
#include <cstddef>    // std::size_t
#include <set>        // labels
#include <sstream>    // text
#include <vector>     // rows

namespace demo {
namespace {

using Row = std::array<std::string, 7>;
using Number = std::optional<std::uint64_t>;

/// A receiver without tags knows the sums only, under the empty label.
bool has_tags(const Counts& received) { return !received.endpoints.contains(""); }

const EndpointCounts& find(const Counts& counts, const std::string& label) {
  static const EndpointCounts none;
  const auto found = counts.endpoints.find(label);
  return found == counts.endpoints.end() ? none : found->second;
}

std::string text(Number number) { return number ? std::to_string(*number) : "-"; }

std::string cell(Number recorded, Number received) {
  if (!recorded && !received) return "-";
  return text(recorded) + (recorded == received ? " = " : " != ") + text(received);
}

Row row(std::string label, const EndpointCounts& recorded, const EndpointCounts* received) {
  const auto compare = [&](auto number_of) {
    return received == nullptr ? text(number_of(recorded)) : cell(number_of(recorded), number_of(*received));
  };
  const auto latency = [&](unsigned percent) {
    return compare([percent](const EndpointCounts& counts) { return percentile(counts.latencies, percent); });
  };
  return {std::move(label),
          compare([](const EndpointCounts& counts) { return Number{counts.attempts}; }),
          compare([](const EndpointCounts& counts) { return Number{counts.successes}; }),
          compare([](const EndpointCounts& counts) { return Number{counts.failures}; }),
          latency(50),
          latency(95),
          latency(99)};
}

std::vector<Row> rows(const Counts& recorded, const Counts* received) {
  const bool each = received != nullptr && has_tags(*received);
  std::set<std::string> labels;
  for (const auto& [label, endpoint] : recorded.endpoints) labels.insert(label);
  if (each) {
    for (const auto& [label, endpoint] : received->endpoints) labels.insert(label);
  }

  std::vector<Row> table{{"endpoint", "attempts", "successes", "failures", "p50 ms", "p95 ms", "p99 ms"}};
  for (const std::string& label : labels) {
    table.push_back(row(label, find(recorded, label), each ? &find(*received, label) : nullptr));
  }
  const EndpointCounts all_received = received == nullptr ? EndpointCounts{} : total(*received);
  table.push_back(row("all endpoints", total(recorded), received == nullptr ? nullptr : &all_received));
  return table;
}

void print_table(std::ostream& out, const std::vector<Row>& table) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : table) {
    out << row[0] << std::string(widths[0] - row[0].size(), ' ');
    for (std::size_t i = 1; i < row.size(); ++i) out << std::string(3 + widths[i] - row[i].size(), ' ') << row[i];
    out << '\n';
  }
}

/// One bar for each bucket of the specification, the longest 50 characters.
void print_picture(std::ostream& out, const Latencies& latencies) {
  struct Bucket {
    std::string_view name;
    std::uint64_t milliseconds;
    std::uint64_t deliveries = 0;
  };
  std::array<Bucket, 7> buckets{{{"<= 0.1 s", 100},
                                 {"<= 0.5 s", 500},
                                 {"<= 1 s  ", 1000},
                                 {"<= 2.5 s", 2500},
                                 {"<= 5 s  ", 5000},
                                 {"<= 10 s ", 10000},
                                 {"longer  ", UINT64_MAX}}};
  std::uint64_t highest = 1;
  for (const auto& [milliseconds, deliveries] : latencies) {
    auto* bucket = buckets.begin();
    while (milliseconds > bucket->milliseconds) ++bucket;
    highest = std::max(highest, bucket->deliveries += deliveries);
  }
  for (const Bucket& bucket : buckets) {
    const std::uint64_t length = (50 * bucket.deliveries + highest - 1) / highest;
    out << bucket.name << "  " << std::string(length, '#') << ' ' << bucket.deliveries << '\n';
  }
}

std::string active_tasks(const Counts& recorded, const Counts* received) {
  const auto text = [](const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : "none"; };
  if (received == nullptr) return text(recorded.active_tasks);
  const bool equal = recorded.active_tasks == received->active_tasks;
  return text(recorded.active_tasks) + (equal ? " = " : " != ") + text(received->active_tasks);
}

}  // namespace

bool agree(const Counts& recorded, const Counts& received) {
  const bool endpoints_agree =
      has_tags(received) ? recorded.endpoints == received.endpoints : total(recorded) == total(received);
  return endpoints_agree && received.refused.empty() && recorded.active_tasks == 0 && received.active_tasks == 0;
}

std::string report(const Counts& recorded, const std::optional<Counts>& received) {
  const Counts* other = received ? &*received : nullptr;
  std::ostringstream out;
  out << (other == nullptr ? "recorded\n\n" : "recorded = received\n\n");
  print_table(out, rows(recorded, other));
  if (other != nullptr && !has_tags(*other)) out << "\nthis agent has no tags: it receives sums only\n";
  out << "\nactive tasks at the end: " << active_tasks(recorded, other) << '\n';
  out << "\nlatency of the successes, as " << (other == nullptr ? "recorded" : "received") << '\n';
  print_picture(out, total(other == nullptr ? recorded : *other).latencies);
  if (other != nullptr) {
    for (const std::string& line : other->refused) out << "\nrefused, " << line;
    if (!other->refused.empty()) out << '\n';
  }
  return out.str();
}

}  // namespace demo
