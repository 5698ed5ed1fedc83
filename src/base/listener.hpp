// base/listener.hpp - who is told what goes wrong.

#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace event_metrics::inline v0 {

/// The user's `on_error`, or where that is empty standard error as it was when the listener was made: nothing is
/// written into what a service has put in its place.
class Listener {
 public:
  using OnError = std::function<void(std::string_view)>;

  /// `on_error` outlives the listener.
  explicit Listener(const OnError& on_error) noexcept;

  /// Hands the messages on, with no lock held; what `on_error` throws is swallowed. Where standard error takes no line
  /// now, the line is dropped.
  void tell(const std::vector<std::string>& messages) const noexcept;

 private:
  void write(std::string_view line) const noexcept;
  bool is_standard_error() const noexcept;

  const OnError& on_error_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool was_open_;
};

}  // namespace event_metrics::inline v0
