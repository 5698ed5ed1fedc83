// unit/packer_rig.hpp - a packer between cells and datagrams, driven by hand.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/delivery_series.hpp"
#include "client/packer.hpp"
#include "delivery/delivery_keys.hpp"
#include "ledger/ledger.hpp"
#include "support/agent.hpp"
#include "unit/recording.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics {

using namespace std::chrono_literals;

inline constexpr std::uint64_t no_end = 1'000'000'000;

/// What a flush has between its cells and its socket.
struct PackerRig {
  static constexpr std::size_t memory = 16U << 20U;

  explicit PackerRig(statsd::Agent agent, std::size_t limit = 1432, const std::string& prefix = "")
      : PackerRig{agent, delivery_schema(delivery_keys(wire::rules_of(agent), prefix), false), limit} {}
  PackerRig(statsd::Agent agent, Schema schema, std::size_t limit)
      : rules{wire::rules_of(agent)},
        recorder{{.max_endpoints = 8, .by_endpoint = rules.tags, .memory_bytes = memory}},
        ledger{recorder.recorder().budget(), 12},
        series{rules, std::move(schema), {}, rules.tags, limit},
        packer{rules, limit, series, telemetry_suffix, ledger} {
    (void)recorder.write_ahead();
  }

  void fold() {
    while (ledger.series_count() < series.size()) (void)ledger.add_series();
    while (ledger.row_count() < recorder.endpoint_count()) {
      const std::uint32_t endpoint = ledger.row_count();
      const std::uint32_t to =
          endpoint < 2 ? (rules.tags ? endpoint : 0) : series.find_or_add(recorder.label(endpoint));
      if (to == ledger.series_count()) (void)ledger.add_series();
      ledger.attach_row(to);
    }
    (void)ledger.fold(recorder.recorder(), true);
  }
  void begin_round() {
    fold();
    ledger.begin_round();
  }

  /// All that is owed, datagram by datagram.
  std::vector<std::string> datagrams() {
    std::vector<std::string> all;
    while (packer.fill()) all.emplace_back(packer.bytes());
    return all;
  }
  support::Tally tally() {
    support::Tally tally;
    for (const std::string& datagram : datagrams()) tally.read_datagram(datagram);
    return tally;
  }

  const wire::AgentRules& rules;
  Recording recorder;
  ledger::Ledger ledger;
  DeliverySeries series;
  std::string telemetry_suffix = "|#client:cpp";
  Packer packer;
};

}  // namespace event_metrics
