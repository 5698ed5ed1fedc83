// base/stay_loaded.hpp - keeps the object that holds the library in the process.

#pragma once

namespace event_metrics::inline v0 {

/// Makes dlclose() leave the plugin, or whatever object holds the library, where it is: threads call into it when they
/// end, and so do forks. Loaded again it is the same object, with the same clients. Does nothing in a program that is
/// linked statically.
void stay_loaded() noexcept;

}  // namespace event_metrics::inline v0
