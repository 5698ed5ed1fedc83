#include "client/retry.hpp"

#include <algorithm>
#include <utility>

namespace event_metrics::inline v0 {

bool Retry::held_up(Clock::time_point now, bool open, Clock::duration interval) const noexcept {
  return away_ || !open || (full_since_ && now - *full_since_ >= interval);
}

Retry::Clock::time_point Retry::not_before(Urgency urgency) const noexcept {
  return urgency == Urgency::routine ? std::max(not_before_, rest_until_) : not_before_;
}

Retry::Clock::time_point Retry::next(Urgency urgency, Clock::time_point settled_at) const noexcept {
  return probing_ ? settled_at : not_before(urgency);
}

Retry::Permission Retry::may_send(Clock::time_point now, Urgency urgency, Clock::time_point settled_at) noexcept {
  if (probing_ || now < not_before(urgency)) return Permission::wait;
  if (renew_ && now < settled_at) {
    not_before_ = settled_at;
    return Permission::wait;
  }
  return std::exchange(renew_, false) ? Permission::send_anew : Permission::send;
}

void Retry::full(Clock::time_point now) noexcept {
  if (!full_since_) full_since_ = now;
  if (now - *full_since_ < longest_full) return;
  renew_ = true;
  full_since_.reset();
}

void Retry::look_at_probe(Clock::time_point now, Clock::time_point settled_at) noexcept {
  if (!probing_ || settled_at > now) return;
  away_ = probing_ = false;
  rest_until_ = now;
  backoff_ = least_backoff;
  refused_probes_ = 0;
}

Retry::Consequence Retry::rest(Clock::time_point now, Step step, const Known& known) noexcept {
  not_before_ = step == Step::unsettled ? known.settled_at : now + pause;
  probing_ = away_ && step == Step::sent;
  if (step != Step::refused && step != Step::failed) return Consequence::none;
  const bool was_away = std::exchange(away_, true);
  if (step == Step::refused) return refused(now, was_away, known);
  renew_ = true;
  rest_until_ = now + backoff_;
  backoff_ = std::min(2 * backoff_, most_backoff);
  return Consequence::none;
}

// The addresses of a name are tried one after the other, without waiting for the next turn; once the last has refused,
// the next turn begins with the first. So does the next burst where somebody had listened at a later one and does no
// more.
Retry::Consequence Retry::refused(Clock::time_point now, bool was_away, const Known& known) noexcept {
  refused_probes_ = was_away ? refused_probes_ + 1 : 0;
  rest_until_ = now;
  if (!was_away && known.went_on) {
    renew_ = true;
    return Consequence::none;
  }
  if ((known.has_next || known.went_on) && refused_probes_ < most_refused_probes) return Consequence::none;
  renew_ = known.has_next || known.went_on || !udp_ || now - opened_at_ >= refused_socket_life;
  refused_probes_ = 0;
  if (known.has_next) return Consequence::go_on;
  rest_until_ = known.next_turn;
  return known.open ? Consequence::tell : Consequence::none;
}

}  // namespace event_metrics::inline v0
