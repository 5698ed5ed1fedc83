#include "client.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "client_telemetry.hpp"
#include "delivery_keys.hpp"
#include "delivery_series.hpp"
#include "endpoints.hpp"
#include "no_cancellation.hpp"
#include "options.hpp"
#include "own_thread.hpp"
#include "transport/address.hpp"
#include "wire/agent_rules.hpp"
#include "wire/label.hpp"

namespace event_metrics::inline v0 {
namespace {

void check_prefix_length(const statsd::Options& options) {
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  const DeliveryKeys keys = delivery_keys(rules, "", false);
  const std::size_t most =
      rules.longest_name - std::max({keys.attempts.size(), keys.successes.size(), keys.failures.size(),
                                     keys.duration.size(), keys.active_tasks.size()});
  if (options.prefix.size() <= most) return;
  throw std::invalid_argument{"Options.prefix has " + std::to_string(options.prefix.size()) + " bytes: write at most " +
                              std::to_string(most) + ", since " + std::string{rules.name} + " reads names of " +
                              std::to_string(rules.longest_name)};
}

void check(const statsd::Options& options, const DeliveryOptions& delivery) {
  statsd::check(options);
  check_prefix_length(options);
  check_endpoints("DeliveryOptions", delivery.endpoint_label, delivery.max_endpoints);
  if (delivery.distribution && !wire::rules_of(options.agent).distribution) {
    throw std::invalid_argument{"DeliveryOptions.distribution is true, which " +
                                std::string{statsd::to_string(options.agent)} +
                                " does not read: write false, or Agent::datadog"};
  }
  const auto is_endpoint = [](const statsd::Tag& tag) { return tag.key == "endpoint"; };
  if (delivery.endpoint_label != EndpointLabel::none && wire::rules_of(options.agent).tags &&
      std::ranges::any_of(options.tags, is_endpoint)) {
    throw std::invalid_argument{
        "Options.tags holds the key \"endpoint\", which is the endpoint's own: "
        "write another key, or EndpointLabel::none"};
  }
}

// Processes that were started together must not all send at the same moment.
std::chrono::nanoseconds random_phase(std::chrono::nanoseconds interval) {
  return interval * (std::random_device{}() % 1000 + 1) / 1000;
}

Flush::Setup setup(const statsd::Options& options, const DeliveryOptions& delivery, bool in_child) {
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  const bool labelled = delivery.endpoint_label == EndpointLabel::host && rules.tags;
  constexpr std::size_t endpoint_tag = 11 + record::longest_authority;  // `|#endpoint:` or `,endpoint:` and its value
  return {rules,
          transport::parse_address(options.address),
          statsd::datagram_limit(options),
          options.max_memory_bytes,
          labelled ? static_cast<std::uint32_t>(delivery.max_endpoints) : 1,
          options.flush_interval,
          random_phase(options.flush_interval),
          options.keep_for,
          labelled,
          wire::tag_suffix(rules, options.tags).size() + (labelled ? endpoint_tag : 0),
          telemetry_suffix(rules, options),
          in_child};
}

record::Recorder::Limits checked_limits(const statsd::Options& options, const DeliveryOptions& delivery) {
  check(options, delivery);
  const Flush::Setup setup = event_metrics::setup(options, delivery, false);
  const record::Recorder::Limits limits{setup.max_endpoints, setup.by_endpoint, setup.memory_bytes};
  const std::size_t fixed = record::Recorder::fixed_bytes(limits) + Flush::fixed_bytes(setup);
  if (setup.memory_bytes < fixed) {
    throw std::invalid_argument{"Options.max_memory_bytes is " + std::to_string(setup.memory_bytes) +
                                ": write at least " + std::to_string(fixed) + " for " +
                                std::to_string(setup.max_endpoints) + " endpoints"};
  }
  return limits;
}

// The parent's threads may have been in the middle of anything: it is not destroyed.
void leave_to_parent(const Engine* engine) noexcept {
  if (engine != nullptr) engine->leave_to_parent();
  abandon(engine);
}

}  // namespace

Client::Client(statsd::Options options, const DeliveryOptions& delivery)
    : recorder_{checked_limits(options, delivery), [this] { begin_in_child(); }},
      options_{std::move(options)},
      delivery_{delivery} {
  const NoCancellation meanwhile;
  std::unique_ptr<Engine> engine = new_engine(false);
  if (options_.own_thread) engine->start();
  engine_.store(engine.release(), std::memory_order_release);
}

Client::~Client() {
  const NoCancellation meanwhile;
  Engine* const engine = engine_.load(std::memory_order_acquire);
  if (!recorder_.begun()) {  // a forked child that never used this client: the engine is its parent's
    const std::lock_guard lock{record::Registry::instance().mutex()};
    leave_to_parent(engine);
  } else if (engine != nullptr) {
    engine->close(options_.close_timeout);
    delete engine;
  }
}

std::unique_ptr<Engine> Client::new_engine(bool in_child) {
  Flush::Setup here = setup(options_, delivery_, in_child);
  DeliverySeries series{here.rules, delivery_keys(here.rules, options_.prefix, delivery_.distribution), options_.tags,
                        here.by_endpoint, here.datagram_limit};
  return std::make_unique<Engine>(listener_, std::move(here), std::move(series), recorder_);
}

void Client::begin_in_child() noexcept {
  leave_to_parent(engine_.load(std::memory_order_relaxed));  // the child's only user is here
  engine_.store(nullptr, std::memory_order_relaxed);
  try {
    std::unique_ptr<Engine> engine = new_engine(true);
    if (options_.own_thread) engine->start();
    engine_.store(engine.release(), std::memory_order_release);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): flush() is false and stats() stays empty here
  }
}

Engine* Client::engine() noexcept {
  recorder_.begin_in_child();
  return engine_.load(std::memory_order_acquire);
}

bool Client::flush(std::chrono::milliseconds timeout) noexcept {
  Engine* const here = engine();
  return here != nullptr && here->flush(timeout);
}

Engine::Clock::time_point Client::poll() noexcept {
  Engine* const here = engine();
  return here != nullptr ? here->poll() : Engine::Clock::now() + options_.flush_interval;
}

statsd::Stats Client::stats() const noexcept {
  if (!recorder_.begun()) return {};
  const Engine* const here = engine_.load(std::memory_order_acquire);
  return here != nullptr ? here->stats() : statsd::Stats{};
}

}  // namespace event_metrics::inline v0
