// client/flush.hpp - one turn: what was recorded becomes owed, what is owed becomes datagrams, what is taken is
// accepted.
//
// Here record, ledger, wire and transport come together. Used by one thread at a time; nothing here waits.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "base/report.hpp"
#include "client/delivery_series.hpp"
#include "client/packer.hpp"
#include "client/provisional.hpp"
#include "client/retry.hpp"
#include "client/row_labels.hpp"
#include "client/settling.hpp"
#include "event_metrics/statsd/stats.hpp"
#include "ledger/ledger.hpp"
#include "record/recorder.hpp"
#include "transport/channel.hpp"
#include "wire/agent_rules.hpp"

namespace event_metrics::inline v0 {

class Flush {
 public:
  using Clock = std::chrono::steady_clock;

  /// What leaves at once, and the pause after it: unpaced, a reader that is 5 ms late loses three datagrams in four.
  static constexpr int burst_datagrams = 16;
  static constexpr std::size_t burst_bytes = burst_datagrams * 1432;
  static constexpr std::chrono::milliseconds pause = Retry::pause;
  /// Between two folds, where turns are further apart: how old stats() may be.
  static constexpr std::chrono::seconds longest_unfolded{5};

  struct Setup {
    const wire::AgentRules& rules;
    transport::Address address;
    std::size_t datagram_limit;
    std::uint32_t rows;  ///< the most that the recorder has
    std::chrono::milliseconds interval;
    std::chrono::nanoseconds phase;  ///< until the first turn, at most an interval
    std::chrono::seconds keep_for;   ///< 0: for ever
    bool by_endpoint;
    std::size_t longest_suffix;    ///< bytes that a series' tags can have
    std::string telemetry_suffix;  ///< empty: the client tells nothing of itself
    bool in_child;                 ///< a forked child tells active tasks only once it has counted one
  };

  /// What is passed by reference outlives the flush. Throws std::bad_alloc and std::system_error.
  Flush(Setup setup, DeliverySeries series, record::Recorder& recorder, const RowLabels& labels);

  /// Memory beside the recorder's own, whatever is recorded: accounts, labels, what is on its way.
  static std::size_t fixed_bytes(const Setup& setup) noexcept;

  /// Everything recorded before the call is owed from now on. False where there was no memory for all of it: the rest
  /// is owed after a later call, and what has memory goes on. Throws std::bad_alloc as well.
  bool begin_turn(Clock::time_point now);

  /// From now on the gauge to send is 0, whatever is still counted: nobody will correct it later.
  void end_active_tasks() noexcept;

  /// While somebody waits for a flush and an agent is there, no turn begins, or a flush would never end that takes
  /// longer than an interval.
  using Urgency = Retry::Urgency;
  struct Outcome {
    Clock::time_point next;            ///< when to call again
    Clock::time_point accepted_until;  ///< what was owed then is accepted, and can no longer be refused
  };

  /// Begins a turn if one is due, and sends at most a burst of what is owed. Throws std::bad_alloc.
  Outcome burst(Clock::time_point now, Urgency urgency);

  /// Looks after the recorder, see Recorder::tend(); returns when to do so again.
  Clock::time_point tend(Clock::time_point now) noexcept;

  /// What burst() and begin_turn() leave to their caller, who knows that they threw.
  void out_of_memory(Clock::time_point now) noexcept;
  /// In a forked child: its first calls came before all of the client was there, for this error number. The next fold
  /// tells.
  void tell_late(int error) noexcept { late_ = error; }
  /// Tells what destruction could not send.
  void left_behind(Clock::time_point now) noexcept;

  /// In a forked child: gives back what its parent's flush keeps from the process. It is of no other use there.
  void leave_to_parent() const noexcept { channel_.close_in_child(); }

  statsd::Stats stats() const noexcept;
  Report& report() noexcept { return report_; }

 private:
  using Step = Retry::Step;

  bool fold(Clock::time_point now);
  bool attach_rows() noexcept;
  void tell_limits(Clock::time_point now) noexcept;
  void owe_active_tasks() noexcept;
  void expire(Clock::time_point now);
  void next_round() noexcept;
  std::uint64_t turns_left(Clock::time_point now) const noexcept;
  void tell_telemetry(Clock::time_point now);
  bool is_udp() const noexcept { return setup_.address.kind == transport::Address::Kind::udp; }
  void look_at_socket(Clock::time_point now) noexcept;
  bool may_send(Clock::time_point now, Urgency urgency);
  bool open(Clock::time_point now);
  void send_burst(Clock::time_point now);
  Step send_one(Clock::time_point now);
  Step keep_accepted(Clock::time_point now);
  Step not_taken(Clock::time_point now, transport::Verdict verdict);
  Step delayed(Clock::time_point now) noexcept;
  Step shrink() noexcept;
  bool read_refusals(Clock::time_point now) noexcept;
  void tell_no_refusals(Clock::time_point now) noexcept;
  void rest(Clock::time_point now, Step step) noexcept;
  Settling::Left what_left() const noexcept;
  Clock::time_point next_call(Urgency urgency) const noexcept;
  std::uint64_t turn_bytes() const noexcept;

  void note(Cause cause, Clock::time_point now, std::string_view what, std::error_code error = {}) noexcept;

  const Setup setup_;
  const std::size_t fixed_bytes_;
  DeliverySeries series_;
  record::Recorder& recorder_;
  const RowLabels& labels_;
  ledger::Ledger ledger_;
  transport::Channel channel_;
  Packer packer_;
  Provisional provisional_;
  Retry retry_;
  Report report_;
  statsd::Stats counts_;

  Clock::time_point seen_at_;  // of the last burst
  Settling settling_;
  Clock::time_point next_turn_;
  Clock::time_point next_fold_;
  Clock::time_point next_telemetry_;
  bool told_no_refusals_ = false;
  bool tasks_ended_ = false;
  int late_ = 0;  // an error number for tell_late(); 0: nothing to tell
};

}  // namespace event_metrics::inline v0
