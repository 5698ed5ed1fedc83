// base/refuse.hpp - how everything that is made refuses what it cannot be made with.

#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace event_metrics::inline v0 {

/// Throws std::invalid_argument with the sentence `field fault: advice`, as in "Options.prefix is "9": write letters".
/// A value that comes from outside is quoted() in it, and one that may hold a secret is left out.
[[noreturn]] inline void refuse(std::string_view field, std::string_view fault, std::string_view advice) {
  std::string sentence{field};
  sentence.append(" ").append(fault).append(": ").append(advice);
  throw std::invalid_argument{sentence};
}

}  // namespace event_metrics::inline v0
