// base/quoted.hpp - a configuration value as it may stand in a one-line message.

#pragma once

#include <string>
#include <string_view>

namespace event_metrics::inline v0 {

/// `text` in double quotes. Every byte that is not printable ASCII becomes \xNN, so that a value from outside cannot
/// break a line of a log; past 200 bytes it is cut and ends in `...`.
inline std::string quoted(std::string_view text) {
  constexpr std::size_t most = 200;
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e) {
      out += "\\x";
      out += hex[byte >> 4U];
      out += hex[byte & 0xfU];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  if (text.size() > most) out += "...";
  return out += '"';
}

}  // namespace event_metrics::inline v0
