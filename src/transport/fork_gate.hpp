// transport/fork_gate.hpp - keeps a fork and the look-ups of names out of each other's way.

#pragma once

#include <chrono>
#include <mutex>

namespace event_metrics::inline v0::transport {

/// Held by a look-up's thread while it is in getaddrinfo(), some of whose locks glibc does not free in a forked child:
/// there neither we nor the service could ever look up a name again. So a fork waits for look-ups that have just begun.
/// One that takes longer is waiting for a name server, and holds no lock meanwhile.
class ForkGate {
 public:
  static constexpr std::chrono::milliseconds longest_wait{20};

  /// Waits while a fork is under way.
  ForkGate() noexcept;
  ~ForkGate();
  ForkGate(const ForkGate&) = delete;
  ForkGate& operator=(const ForkGate&) = delete;
};

/// One of the few look-ups that a process may have out at once. Clients that come and go while no name server answers
/// would leave a thread each. Never waits.
class LookUpPlace {
 public:
  static constexpr int most = 8;

  LookUpPlace() noexcept;
  ~LookUpPlace();
  LookUpPlace(const LookUpPlace&) = delete;
  LookUpPlace& operator=(const LookUpPlace&) = delete;

  bool had() const noexcept { return had_; }

 private:
  bool had_;
};

/// A fork waits for who holds it, so that a child finds whole what is changed under it. To be held for a moment, and
/// taken under no other lock of ours.
std::mutex& no_fork() noexcept;

}  // namespace event_metrics::inline v0::transport
