// transport/fork_gate.hpp - keeps a fork and the look-ups of names out of each other's way.

#pragma once

#include <chrono>

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

}  // namespace event_metrics::inline v0::transport
