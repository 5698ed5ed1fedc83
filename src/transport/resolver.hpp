// transport/resolver.hpp - the endpoints of an address, looked up where nobody waits for it.

#pragma once

#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <system_error>
#include <vector>

#include "transport/address.hpp"

namespace event_metrics::inline v0::transport {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  int family() const noexcept { return address.ss_family; }
  bool operator==(const Endpoint& other) const noexcept;
};

/// Looks a name up on a thread of its own, at most one at a time, and LookUpPlace::most in a process. Numeric addresses
/// and paths need none. Used by one thread at a time. Nothing here waits, not even destruction: a look-up that is out
/// then ends by itself, and touches nothing but its own.
class Resolver {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes longest_trusted{1};
  /// After a failure or an error, doubled until all is well for `longest_trusted`.
  static constexpr std::chrono::seconds shortest_pause{1};
  static constexpr std::chrono::seconds longest_pause{30};
  /// A first answer that takes longer is an error.
  static constexpr std::chrono::seconds patience{5};

  /// Begins the first look-up. Throws std::bad_alloc.
  explicit Resolver(Address address);
  ~Resolver();

  const Address& address() const noexcept { return address_; }

  /// What the last look-up that succeeded has found, IPv4 first; empty before that.
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }

  /// Why the last look-up found nothing. Equals std::errc::operation_in_progress until the first one had its time.
  std::error_code error() const noexcept { return error_; }

  /// Something went wrong with an endpoint: look up before the minute is over.
  void doubt() noexcept { doubted_ = true; }

  /// Takes an answer that has come, and begins a look-up that is due. True when one was taken.
  bool refresh(Clock::time_point now) noexcept;

 private:
  struct Answer;
  struct LookUp;

  static Answer ask(const Address& address, int flags) noexcept;
  void take(Answer answer) noexcept;
  /// False while there is no place for one more.
  bool begin(Clock::time_point now) noexcept;

  const Address address_;
  std::vector<Endpoint> endpoints_;
  std::error_code error_;
  bool lasting_ = false;  // the endpoints can never change
  bool doubted_ = false;
  std::shared_ptr<LookUp> look_up_;  // that is out; its thread holds the other reference
  Clock::time_point since_;          // when it began, or the last one ended
  std::chrono::seconds pause_ = shortest_pause;
};

}  // namespace event_metrics::inline v0::transport
