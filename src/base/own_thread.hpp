// base/own_thread.hpp - the library's threads, and what a forked child leaves of its parent's.

#pragma once

#include <functional>
#include <thread>

namespace event_metrics::inline v0 {

/// A thread that handles none of the service's signals but those of its own crashes; `name` has at most 15 bytes.
/// Throws std::bad_alloc, and std::system_error when the process may have no more threads.
std::thread own_thread(const char* name, std::function<void()> run);

/// Keeps what a forked child may not touch, because its parent's threads were using it, reachable for those who look
/// for leaks. With the record::Registry's mutex held.
void abandon(const void* left) noexcept;

}  // namespace event_metrics::inline v0
