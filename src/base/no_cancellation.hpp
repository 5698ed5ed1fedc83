// base/no_cancellation.hpp - keeps pthread_cancel() from ending a thread inside the library.

#pragma once

#include <pthread.h>

namespace event_metrics::inline v0 {

/// While it lives the calling thread is not cancelled. A cancellation unwinds the stack, which ends the process where
/// nothing may be thrown; one that comes meanwhile takes effect at the caller's next cancellation point.
class NoCancellation {
 public:
  NoCancellation() noexcept { (void)::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancellation() { (void)::pthread_setcancelstate(before_, nullptr); }
  NoCancellation(const NoCancellation&) = delete;
  NoCancellation& operator=(const NoCancellation&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace event_metrics::inline v0
