// statsd_line.hpp - reads one line of the StatsD protocol. It shares no code with the library that writes them:
// otherwise both could be wrong in the same way.

#pragma once

#include <cstddef>      // columns
#include <cstdint>      // weights
#include <optional>     // fields that may be missing
#include <string>       // reasons
#include <string_view>  // parts of a line
#include <variant>      // a line or what is wrong with it
#include <vector>       // tags

namespace statsd_line {

struct Tag {
  std::string_view key;
  std::string_view value;  ///< empty for a tag that is only its key
};

/// `name:value|type[|@rate][|#key:value,key]`, in this order: the only one that every agent reads. Views into the text.
struct Line {
  std::string_view name;
  std::string_view value;  ///< digits, perhaps with a sign and a fraction; of a set (`s`) any text
  std::string_view type;   ///< c, g, ms, h, d or s
  std::optional<double> rate{};
  std::vector<Tag> tags{};

  /// How many values the line stands for: 1/rate, cut as the agents cut it.
  std::uint64_t weight() const { return rate ? static_cast<std::uint64_t>(1 / *rate) : 1; }
};

struct Malformed {
  std::size_t column;  ///< of the byte at which the line goes wrong, from 1
  std::string reason;
};

using Result = std::variant<Line, Malformed>;

/// Reads a line without its line break. Any bytes are welcome.
Result parse(std::string_view text);

/// Takes the next line from the beginning of a datagram, with its line break.
std::string_view next_line(std::string_view& datagram);

/// The text with every byte that is not printable ASCII as \xNN.
std::string visible(std::string_view text);

}  // namespace statsd_line
