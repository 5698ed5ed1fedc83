#include "client/client.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <numeric>
#include <random>
#include <string>
#include <system_error>
#include <utility>

#include "base/no_cancellation.hpp"
#include "base/refuse.hpp"
#include "base/report.hpp"
#include "client/client_telemetry.hpp"
#include "client/options.hpp"
#include "record/reading.hpp"
#include "transport/address.hpp"
#include "wire/agent_rules.hpp"
#include "wire/tags.hpp"

namespace event_metrics::inline v0 {
namespace {

// Processes that were started together must not all send at the same moment.
std::chrono::nanoseconds random_phase(std::chrono::nanoseconds interval) {
  return interval * (std::random_device{}() % 1000 + 1) / 1000;
}

Flush::Setup flush_setup(const Client::Setup& client, bool in_child) {
  const statsd::Options& options = client.options;
  const wire::AgentRules& rules = wire::rules_of(options.agent);
  constexpr std::size_t endpoint_tag = 11 + RowLabels::longest;  // `|#endpoint:` or `,endpoint:` and its value
  return {.rules = rules,
          .address = transport::parse_address(options.address),
          .datagram_limit = statsd::datagram_limit(options),
          .rows = client.max_endpoints + RowLabels::first_labelled,
          .interval = options.flush_interval,
          .phase = random_phase(options.flush_interval),
          .keep_for = options.keep_for,
          .by_endpoint = client.by_endpoint,
          .longest_suffix = wire::tag_suffix(rules, options.tags).size() + (client.by_endpoint ? endpoint_tag : 0),
          .telemetry_suffix = telemetry_suffix(rules, options),
          .in_child = in_child};
}

}  // namespace

record::Budget::Limits Client::memory(const Setup& setup) {
  const std::size_t fixed = Flush::fixed_bytes(flush_setup(setup, false));
  const std::size_t all = setup.options.max_memory_bytes;
  return {.bytes = all - std::min(all, fixed), .reader_share = ledger::bytes_per_recorded};
}

void Client::check_memory(const Setup& setup, const record::Recorder::Limits& recorder) {
  const std::size_t fixed = record::Recorder::fixed_bytes(recorder) + Flush::fixed_bytes(flush_setup(setup, false));
  const std::size_t all = setup.options.max_memory_bytes;
  if (all >= fixed) return;
  refuse("Options.max_memory_bytes", "is " + std::to_string(all),
         "write at least " + std::to_string(fixed) + " for " + std::to_string(setup.max_endpoints) + " endpoints");
}

Client::Client(Setup setup, record::Recorder& recorder, const RowLabels& labels)
    : setup_{std::move(setup)},
      recorder_{recorder},
      labels_{labels},
      engine_{recorder_, [this](bool in_child) { return new_engine(in_child); }, setup_.options.own_thread} {}

Client::~Client() {
  const NoCancellation meanwhile;
  if (!recorder_.is_prepared()) return;  // a forked child that never used this client: what is here is its parent's
  const Engine::Clock::time_point deadline = Engine::Clock::now() + setup_.options.close_timeout;
  if (Engine* const here = engine_.here_by(deadline)) {
    here->close(deadline);
  } else {
    tell("could not be sent before the end, as a forked child cannot begin");
  }
}

std::unique_ptr<Engine> Client::new_engine(bool in_child) {
  Flush::Setup here = flush_setup(setup_, in_child);
  DeliverySeries series{here.rules, setup_.schema, setup_.options.tags, here.by_endpoint, here.datagram_limit};
  return std::make_unique<Engine>(listener_, std::move(here), std::move(series), recorder_, labels_);
}

bool Client::begin_in_child(bool first) noexcept {
  if (first) quiet_until_.store({}, std::memory_order_relaxed);
  return engine_.begin_in_child(first);
}

void Client::tell_missing() noexcept {
  const Engine::Clock::time_point now = Engine::Clock::now();
  if (now < quiet_until_.load(std::memory_order_relaxed) || stats().recorded == 0) return;
  quiet_until_.store(now + Report::pause, std::memory_order_relaxed);
  tell("are kept, as a forked child cannot begin");
}

bool Client::flush(std::chrono::milliseconds timeout) noexcept {
  const NoCancellation meanwhile;
  const Engine::Clock::time_point deadline = Engine::deadline(timeout);
  if (Engine* const here = engine_.here_by(deadline)) return here->flush(deadline);
  tell_missing();
  return false;
}

Engine::Clock::time_point Client::poll() noexcept {
  const NoCancellation meanwhile;
  if (Engine* const here = engine_.here()) return here->poll();
  tell_missing();
  return Engine::Clock::now() +
         std::min<Engine::Clock::duration>(setup_.options.flush_interval, record::Recorder::retry_pause);
}

statsd::Stats Client::stats() noexcept {
  if (!recorder_.is_prepared()) return {};
  const bool begun = recorder_.begin_in_child();
  const Engine* const here = engine_.present();
  statsd::Stats stats = here != nullptr ? here->stats() : statsd::Stats{};
  if (!begun) add_shared(stats);
  return stats;
}

// Where nobody takes turns yet. All that was recorded so far is in the shared cells.
void Client::add_shared(statsd::Stats& stats) noexcept {
  record::Reading reading;
  record::Reading::Sums octaves;
  try {
    for (std::uint32_t each = 0; each < labels_.row_count(); ++each) reading.add(recorder_.arena(), each);
  } catch (const std::bad_alloc&) {
    return;
  }
  (void)reading.chunk(record::octave_chunk, octaves);
  stats.timings_recorded = stats.coarse = std::accumulate(octaves.begin(), octaves.end(), std::uint64_t{0});
  stats.recorded = reading.tally() + stats.timings_recorded;
  stats.owed = stats.recorded - stats.accepted - stats.expired;
  stats.timings_owed = stats.timings_recorded - stats.timings_accepted - stats.timings_expired - stats.left_out;
}

void Client::tell(const char* what) noexcept {
  const statsd::Stats now = stats();
  if (now.recorded == 0) return;
  const std::error_code why{engine_.error(), std::generic_category()};
  try {
    listener_.tell({transport::parse_address(setup_.options.address).text + ": " + owed_text(now) + ' ' + what + " (" +
                    why.message() + ")"});
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): without memory the counts in stats() tell it
  }
}

}  // namespace event_metrics::inline v0
