// demo/receiver_process.hpp - the receiver in a process of its own, on a real socket, as an agent would be.

#pragma once

#include <sys/types.h>  // pid_t

#include <string>  // the address

#include "demo/counts.hpp"
#include "event_metrics/statsd/options.hpp"

namespace demo {

/// The first argument that makes this program the receiver; the agent and, perhaps, --show-lines follow.
inline constexpr const char* receive_verb = "--receive";

/// Starts this program once more, as the receiver, and asks it in the end what it has counted. Both talk over one
/// socket, which is the receiver's standard input.
class ReceiverProcess {
 public:
  /// Ready to receive when it returns. Throws std::runtime_error when the process can't be started.
  ReceiverProcess(event_metrics::statsd::Agent agent, bool show_lines);
  ~ReceiverProcess();
  ReceiverProcess(const ReceiverProcess&) = delete;
  ReceiverProcess& operator=(const ReceiverProcess&) = delete;

  const std::string& address() const { return address_; }

  /// Everything sent before the call is counted. Throws std::runtime_error when the process died. Call it once.
  Counts finish();

 private:
  pid_t pid_ = -1;
  int channel_ = -1;
  std::string address_;
};

/// What that process does: tells its address, counts until the other side has finished, tells the counts.
void receive(event_metrics::statsd::Agent agent, bool show_lines);

}  // namespace demo
