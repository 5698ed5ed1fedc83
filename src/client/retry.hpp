// client/retry.hpp - when something may be sent, and what has to become of the socket first.
//
// Knows no socket: it is told what bursts came to, and says when the next one may be, when another socket is needed and
// when the name's next address is to be tried. Used by one thread at a time.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace event_metrics::inline v0 {

class Retry {
 public:
  using Clock = std::chrono::steady_clock;

  /// After each burst.
  static constexpr std::chrono::milliseconds pause{10};
  /// A socket of another source port, for those between here and the agent who go by it.
  static constexpr std::chrono::minutes socket_life{5};
  /// The same while nobody listens, when nothing but a probe a turn is sent.
  static constexpr std::chrono::seconds refused_socket_life{30};
  /// So many in a row, and the name's next address is tried.
  static constexpr int most_refused_probes = 2;
  /// How long a socket may be full before another one is tried.
  static constexpr std::chrono::seconds longest_full{5};
  /// Between attempts after an error that says nothing of the agent, doubled each time.
  static constexpr std::chrono::seconds least_backoff{1};
  static constexpr std::chrono::seconds most_backoff{30};

  /// While somebody waits for a flush, an absent agent is tried every 10 ms instead of once a turn.
  enum class Urgency : std::uint8_t { routine, urgent };

  /// What a burst came to.
  enum class Step : std::uint8_t {
    sent,
    nothing,    ///< nothing more was owed
    unsettled,  ///< the next datagram has to wait until those before it have settled
    later,      ///< no room, no address yet, or a datagram that was too long
    refused,    ///< nobody listens
    failed      ///< an error that says nothing of the agent
  };

  /// What else is known when a burst has ended.
  struct Known {
    Clock::time_point settled_at;  ///< of what was sent
    Clock::time_point next_turn;
    bool open;      ///< there is a socket
    bool has_next;  ///< the name has addresses behind the socket's
    bool went_on;   ///< the socket leads to a later address than the first
  };

  enum class Permission : std::uint8_t { wait, send, send_anew };
  enum class Consequence : std::uint8_t { none, go_on, tell };

  explicit Retry(bool udp) noexcept : udp_{udp} {}

  /// Nothing has been accepted for good since the last refusal or error.
  bool away() const noexcept { return away_; }
  /// One datagram is on its way to see whether the agent is back.
  bool probing() const noexcept { return probing_; }
  /// Whether what is owed cannot leave: there is no agent, no socket, or for an interval already no room.
  bool held_up(Clock::time_point now, bool open, Clock::duration interval) const noexcept;

  /// The socket is replaced as soon as what it has sent has settled.
  void renew() noexcept { renew_ = true; }
  bool outlived(Clock::time_point now) const noexcept { return udp_ && now - opened_at_ >= socket_life; }
  void opened(Clock::time_point now) noexcept { opened_at_ = now; }

  /// Asked when something is owed. Whoever may send anew closes the socket first.
  Permission may_send(Clock::time_point now, Urgency urgency, Clock::time_point settled_at) noexcept;
  /// When to come back for what is owed, or for what has become of a probe.
  Clock::time_point next(Urgency urgency, Clock::time_point settled_at) const noexcept;

  void accepted() noexcept { full_since_.reset(); }
  void full(Clock::time_point now) noexcept;
  /// A burst has ended. Its caller goes on to the name's next address, or tells that no agent listens.
  Consequence rest(Clock::time_point now, Step step, const Known& known) noexcept;
  /// A probe that has settled, and was not refused, has arrived.
  void look_at_probe(Clock::time_point now, Clock::time_point settled_at) noexcept;

 private:
  Clock::time_point not_before(Urgency urgency) const noexcept;
  Consequence refused(Clock::time_point now, bool was_away, const Known& known) noexcept;

  const bool udp_;
  Clock::time_point not_before_{};  // for everybody
  Clock::time_point rest_until_{};  // for routine callers
  std::chrono::seconds backoff_ = least_backoff;
  bool away_ = false;
  bool probing_ = false;
  int refused_probes_ = 0;  // in a row, at the present address
  bool renew_ = false;
  Clock::time_point opened_at_{};
  std::optional<Clock::time_point> full_since_;
};

}  // namespace event_metrics::inline v0
