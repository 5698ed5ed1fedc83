// flush.hpp - one turn: what was recorded becomes owed, what is owed becomes datagrams, what is taken is accepted.
//
// The only place that sees record, ledger, wire and transport. Used by one thread at a time; nothing here waits, but
// for a host name.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "delivery_series.hpp"
#include "event_metrics/statsd/stats.hpp"
#include "ledger/ledger.hpp"
#include "provisional.hpp"
#include "record/recorder.hpp"
#include "report.hpp"
#include "transport/channel.hpp"
#include "wire/agent_rules.hpp"
#include "wire/datagram.hpp"

namespace event_metrics::inline v0 {

class Flush {
 public:
  using Clock = std::chrono::steady_clock;

  /// What leaves at once, and the pause after it: unpaced, a reader that is 5 ms late loses three datagrams in four.
  static constexpr int burst_datagrams = 16;
  static constexpr std::size_t burst_bytes = burst_datagrams * 1432;
  static constexpr std::chrono::milliseconds pause{10};
  /// The sum of a cell over all threads can wrap in 43 s of nothing but calls on one core, in 5 s on nine.
  static constexpr std::chrono::seconds longest_unfolded{5};

  struct Setup {
    const wire::AgentRules& rules;
    transport::Address address;
    std::size_t datagram_limit;
    std::size_t memory_bytes;
    std::uint32_t max_endpoints;
    std::chrono::milliseconds interval;
    bool by_endpoint;
    std::size_t longest_suffix;  ///< bytes that a series' tags can have
    bool in_child;               ///< a forked child tells active tasks only once it has counted one
  };

  /// Throws std::bad_alloc and std::system_error.
  Flush(Setup setup, DeliverySeries series, record::Recorder& recorder);

  /// Memory beside the recorder's own, whatever is recorded: accounts, labels, what is on its way.
  static std::size_t fixed_bytes(const Setup& setup) noexcept;

  /// Everything recorded before the call is owed from now on. Throws std::bad_alloc; then it is owed after the next.
  void begin_turn(Clock::time_point now);

  /// The last gauge to send is 0, whatever is still counted: nobody will correct it later.
  void end_active_tasks() noexcept;

  /// An urgent caller tries an absent agent every 10 ms, a routine one once a turn.
  enum class Urgency : std::uint8_t { routine, urgent };
  struct Outcome {
    Clock::time_point next;            ///< when to call again
    Clock::time_point accepted_until;  ///< what was owed then is accepted, and can no longer be refused
  };

  /// Begins a turn if one is due, and sends at most a burst of what is owed. Throws std::bad_alloc.
  Outcome burst(Clock::time_point now, Urgency urgency);

  /// Readies memory for the recorder; true when some was taken since the last call.
  bool write_ahead() noexcept;

  /// What burst() and begin_turn() leave to their caller, who knows that they threw.
  void out_of_memory(Clock::time_point now) noexcept;
  /// Tells what destruction could not send.
  void left_behind(Clock::time_point now) noexcept;

  statsd::Stats stats() const noexcept;
  Report& report() noexcept { return report_; }

 private:
  enum class Step : std::uint8_t { sent, nothing, unsettled, later, refused, failed };

  void fold(Clock::time_point now);
  void send_burst(Clock::time_point now);
  bool may_send(Clock::time_point now, Urgency urgency);
  bool open(Clock::time_point now);
  Step send_one(Clock::time_point now);
  Step keep_accepted(Clock::time_point now);
  Step shrink() noexcept;
  bool read_refusals(Clock::time_point now) noexcept;
  void rest(Clock::time_point now, Step step) noexcept;
  void look_for_drain(Clock::time_point now) noexcept;
  Clock::time_point next_call(Urgency urgency) const noexcept;

  void compose();
  bool compose_gauge();
  bool compose_counters();
  bool compose_counters_of(std::uint32_t series);
  bool compose_timings();
  bool compose_timing();
  bool find_timing();
  bool add(std::span<const wire::Line> lines, std::span<const ledger::Share> shares);
  void undo() noexcept;
  void note(Cause cause, Clock::time_point now, std::string_view what, std::error_code error = {}) noexcept;
  std::string owed_text() const;

  const Setup setup_;
  const std::size_t fixed_bytes_;
  DeliverySeries series_;
  record::Recorder& recorder_;
  ledger::Ledger ledger_;
  transport::Channel channel_;
  wire::Datagram datagram_;
  std::vector<ledger::Share> shares_;  // what datagram_ carries
  Provisional provisional_;
  Report report_;
  statsd::Stats counts_;

  Clock::time_point next_turn_;
  Clock::time_point next_fold_;
  std::uint32_t folded_lines_;      // taken before the last fold but one: what they hold has been folded
  std::uint32_t fold_lines_;        // taken before the last fold: a caller may have been about to link some
  Clock::time_point not_before_{};  // for everybody
  Clock::time_point rest_until_{};  // for routine callers
  bool away_ = false;               // the agent refused, and has not been seen since
  bool probing_ = false;            // one datagram is on its way to see whether it is back

  // A moment at which nothing was owed counts once all datagrams of then have settled; others may follow meanwhile.
  struct Drain {
    Clock::time_point at;
    Clock::time_point settled_at;
  };
  std::optional<Drain> drain_;
  Clock::time_point accepted_until_ = Clock::time_point::min();

  // Each goes on where the last datagram ended, so that no series crowds out another; of timings one line a cell and
  // pass, so that no cell does.
  std::uint32_t counter_series_ = 0;
  bool crowded_ = false;  // counters alone have filled the last datagram
  std::uint32_t timing_series_ = 0;
  std::vector<std::uint32_t> pass_;
  std::size_t pass_at_ = 0;
  std::uint32_t turns_ = 0;
};

}  // namespace event_metrics::inline v0
