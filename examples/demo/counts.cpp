#include "demo/counts.hpp"

#include <iomanip>    // std::quoted
#include <sstream>    // lines and numbers
#include <stdexcept>  // std::runtime_error

namespace demo {
namespace {

void read_fact(const std::string& text, Counts& counts) {
  std::istringstream line{text};
  std::string fact;
  std::string label;
  line >> fact;
  if (fact == "deliveries") {
    line >> std::quoted(label);
    EndpointCounts& endpoint = counts.endpoints[label];
    line >> endpoint.attempts >> endpoint.successes >> endpoint.failures;
  } else if (fact == "latency") {
    std::uint64_t milliseconds = 0;
    line >> std::quoted(label) >> milliseconds;
    line >> counts.endpoints[label].latencies[milliseconds];
  } else if (fact == "active_tasks") {
    line >> counts.active_tasks.emplace();
  } else if (fact == "refused") {
    line >> std::quoted(counts.refused.emplace_back());
  } else {
    line.setstate(std::ios::failbit);
  }
  if (!line) throw std::runtime_error{"the receiver answered '" + text + "'"};
}

}  // namespace

EndpointCounts total(const Counts& counts) {
  EndpointCounts sum;
  for (const auto& [label, endpoint] : counts.endpoints) {
    sum.attempts += endpoint.attempts;
    sum.successes += endpoint.successes;
    sum.failures += endpoint.failures;
    for (const auto& [milliseconds, deliveries] : endpoint.latencies) sum.latencies[milliseconds] += deliveries;
  }
  return sum;
}

std::optional<std::uint64_t> percentile(const Latencies& latencies, unsigned percent) {
  std::uint64_t all = 0;
  for (const auto& [milliseconds, deliveries] : latencies) all += deliveries;

  const std::uint64_t rank = (all * percent + 99) / 100;
  std::uint64_t seen = 0;
  for (const auto& [milliseconds, deliveries] : latencies) {
    seen += deliveries;
    if (seen >= rank) return milliseconds;
  }
  return std::nullopt;
}

std::string to_text(const Counts& counts) {
  std::ostringstream text;
  for (const auto& [label, endpoint] : counts.endpoints) {
    text << "deliveries " << std::quoted(label) << ' ' << endpoint.attempts << ' ' << endpoint.successes << ' '
         << endpoint.failures << '\n';
    for (const auto& [milliseconds, deliveries] : endpoint.latencies) {
      text << "latency " << std::quoted(label) << ' ' << milliseconds << ' ' << deliveries << '\n';
    }
  }
  if (counts.active_tasks) text << "active_tasks " << *counts.active_tasks << '\n';
  for (const std::string& line : counts.refused) text << "refused " << std::quoted(line) << '\n';
  text << "end\n";
  return text.str();
}

Counts counts_from_text(std::string_view text) {
  Counts counts;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    if (line == "end") return counts;
    read_fact(line, counts);
  }
  throw std::runtime_error{"the receiver ended without an answer"};
}

}  // namespace demo
