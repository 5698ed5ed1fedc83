// fuzz/fuzz.hpp - what the targets share: how they fail, and a line read back.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "statsd_line.hpp"

namespace fuzz {

/// Ends the run with the input that led here.
inline void require(bool holds, std::string_view what, std::string_view seen = {}) {
  if (holds) return;
  const std::string text = statsd_line::visible(seen);
  std::fprintf(stderr, "not so: %.*s: %s\n", static_cast<int>(what.size()), what.data(), text.c_str());
  std::abort();
}

/// The one line that `text` is. Its parser shares no code with the library.
inline statsd_line::Line line(std::string_view text) {
  require(text.find('\n') == std::string_view::npos, "there is one line", text);
  const statsd_line::Result result = statsd_line::parse(text);
  require(std::holds_alternative<statsd_line::Line>(result), "the line can be read", text);
  return std::get<statsd_line::Line>(result);
}

}  // namespace fuzz
