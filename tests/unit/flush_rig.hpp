// unit/flush_rig.hpp - a recorder and its flush, driven by hand.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "client/delivery_series.hpp"
#include "client/flush.hpp"
#include "delivery/delivery_keys.hpp"
#include "delivery/endpoint_labels.hpp"
#include "transport/address.hpp"
#include "unit/recording.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics {

using namespace std::chrono_literals;
using Clock = Flush::Clock;
using Urgency = Flush::Urgency;

inline constexpr const char* url = "https://hooks.example.com/T0/secret";

struct Wants {
  std::size_t limit = 1432;
  bool by_endpoint = true;
  bool in_child = false;
  std::uint32_t endpoints = 10;
  std::chrono::seconds keep_for{0};
  std::string telemetry_suffix = {};
};

struct Rig {
  Rig(statsd::Agent agent, const std::string& address, const Wants& wants = {})
      : recorder{{.max_endpoints = wants.endpoints, .by_endpoint = wants.by_endpoint, .memory_bytes = 16U << 20U}} {
    const wire::AgentRules& rules = wire::rules_of(agent);
    const bool labelled = wants.by_endpoint && rules.tags;
    DeliverySeries series{rules, delivery_schema(delivery_keys(rules, ""), false), {}, labelled, wants.limit};
    flush = std::make_unique<Flush>(Flush::Setup{.rules = rules,
                                                 .address = transport::parse_address(address),
                                                 .datagram_limit = wants.limit,
                                                 .rows = wants.endpoints + delivery::first_endpoint,
                                                 .interval = 1s,
                                                 .phase = 1s,
                                                 .keep_for = wants.keep_for,
                                                 .by_endpoint = labelled,
                                                 .longest_suffix = 300,
                                                 .telemetry_suffix = wants.telemetry_suffix,
                                                 .in_child = wants.in_child},
                                    std::move(series), recorder.recorder(), labels);
    (void)flush->tend(Clock::now());
  }

  /// Turns until all is settled, in the time that it takes.
  bool settle() {
    const Clock::time_point begun = Clock::now();
    flush->begin_turn(begun);
    const Clock::time_point deadline = begun + 10s;
    for (;;) {
      const Flush::Outcome outcome = flush->burst(Clock::now(), Urgency::urgent);
      if (outcome.accepted_until >= begun) return true;
      if (Clock::now() > deadline) return false;
      std::this_thread::sleep_until(outcome.next);
    }
  }

  void succeed(int times, int first_ms, int step) {
    for (int i = 0; i < times; ++i) recorder.success(url, std::chrono::milliseconds{first_ms + i * step});
  }

  Recording recorder;
  const delivery::EndpointLabels labels{recorder};
  std::unique_ptr<Flush> flush;
};

}  // namespace event_metrics
