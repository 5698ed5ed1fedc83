#include "statsd_line.hpp"

#include <algorithm>     // finding bytes
#include <array>         // types
#include <charconv>      // rates
#include <system_error>  // std::errc

namespace statsd_line {
namespace {

constexpr std::array<std::string_view, 6> types = {"c", "g", "ms", "h", "d", "s"};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Reads from left to right, and keeps the first thing that is wrong.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_{text} {}

  Result read() {
    Line line;
    if (read_name(line) && read_value(line) && read_type(line) && read_fields(line)) return line;
    return wrong_;
  }

 private:
  bool fail(std::size_t at, std::string reason) {
    wrong_ = {at + 1, std::move(reason)};
    return false;
  }

  /// What stands before the next `end`, which is passed; all that is left when there is none.
  std::string_view take(char end) {
    const std::size_t length = std::min(text_.find(end, at_), text_.size()) - at_;
    const std::string_view taken = text_.substr(at_, length);
    at_ = std::min(at_ + length + 1, text_.size() + 1);
    return taken;
  }
  bool ended() const { return at_ > text_.size(); }

  bool read_name(Line& line) {
    if (text_.empty()) return fail(0, "the line is empty");
    line.name = take(':');
    for (std::size_t i = 0; i < line.name.size(); ++i) {
      if (line.name[i] == '|') return fail(i, "`|` comes before the value");
      if (is_control(line.name[i]) || line.name[i] == ' ') return fail(i, "a blank or control byte in the name");
    }
    if (line.name.empty()) return fail(0, "the name is empty");
    if (ended()) return fail(text_.size(), "no `:` and value follow the name");
    return true;
  }

  bool read_value(Line& line) {
    const std::size_t begin = at_;
    line.value = take('|');
    if (line.value.empty()) return fail(begin, "the value is empty");
    if (ended()) return fail(text_.size(), "no `|` and type follow the value");
    value_at_ = begin;
    return true;
  }

  bool read_type(Line& line) {
    const std::size_t begin = at_;
    line.type = take('|');
    if (std::find(types.begin(), types.end(), line.type) == types.end()) {
      return fail(begin, "the type is none of c, g, ms, h, d and s");
    }
    return line.type == "s" ? read_text(line.value) : read_number(line);
  }

  bool read_text(std::string_view value) {
    const auto* const bad = std::find_if(value.begin(), value.end(), is_control);
    return bad == value.end() || fail(value_at_ + static_cast<std::size_t>(bad - value.begin()), "a control byte");
  }

  bool read_number(const Line& line) {
    const std::string_view value = line.value;
    std::size_t i = 0;
    if (value[0] == '-' || value[0] == '+') {
      if (line.type != "g") return fail(value_at_, "a sign, which only a gauge may have");
      ++i;
    }
    return read_decimal(value.substr(i), value_at_ + i);
  }

  bool read_decimal(std::string_view digits, std::size_t begin) {
    bool fraction = false;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if (is_digit(digits[i])) continue;
      if (digits[i] == '.' && !fraction && i > 0 && i + 1 < digits.size()) {
        fraction = true;
        continue;
      }
      return fail(begin + i,
                  digits[i] == ':' ? "a second value, which most agents drop or misread" : "not a decimal number");
    }
    return !digits.empty() || fail(begin, "a sign without a number");
  }

  bool read_fields(Line& line) {
    while (!ended()) {
      const std::size_t begin = at_;
      const std::string_view field = take('|');
      if (field.empty()) return fail(begin, "the field is empty");
      if (tags_read_) return fail(begin, "a field follows the tags, which most agents take for a part of them");
      if (field.front() == '@') {
        if (!read_rate(line, field.substr(1), begin + 1)) return false;
      } else if (field.front() == '#') {
        if (!read_tags(line, field.substr(1), begin + 1)) return false;
      } else {
        return fail(begin, "the field is neither a rate (@) nor tags (#)");
      }
    }
    return true;
  }

  bool read_rate(Line& line, std::string_view text, std::size_t begin) {
    if (line.rate) return fail(begin - 1, "a second rate");
    if (text.empty()) return fail(begin, "the rate is empty");
    if (!read_decimal(text, begin)) return false;  // some agents stop at an exponent, and take 1e-05 for 1
    double rate = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (error != std::errc{} || !(rate > 0 && rate <= 1)) return fail(begin, "the rate is not above 0 and at most 1");
    if (1 / rate >= 1e18) return fail(begin, "the rate stands for more values than can be counted");
    line.rate = rate;
    return true;
  }

  bool read_tags(Line& line, std::string_view text, std::size_t begin) {
    tags_read_ = true;
    for (std::size_t i = 0; i <= text.size();) {
      const std::size_t length = std::min(text.find(',', i), text.size()) - i;
      const std::string_view tag = text.substr(i, length);
      if (tag.empty()) return fail(begin + i, "the tag is empty");
      const auto* const bad = std::find_if(tag.begin(), tag.end(), is_control);
      if (bad != tag.end()) {
        return fail(begin + i + static_cast<std::size_t>(bad - tag.begin()), "a control byte in a tag");
      }
      const std::size_t colon = tag.find(':');
      if (colon == 0) return fail(begin + i, "the tag has no key");
      if (colon == tag.size() - 1) return fail(begin + i + colon, "the tag has no value");
      const bool bare = colon == std::string_view::npos;
      line.tags.push_back({tag.substr(0, colon), bare ? std::string_view{} : tag.substr(colon + 1)});
      i += length + 1;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;
  bool tags_read_ = false;
  Malformed wrong_{};
};

}  // namespace

Result parse(std::string_view text) { return Reader{text}.read(); }

std::string_view next_line(std::string_view& datagram) {
  const std::size_t end = std::min(datagram.find('\n'), datagram.size());
  const std::string_view line = datagram.substr(0, end);
  datagram.remove_prefix(std::min(end + 1, datagram.size()));
  return line;
}

std::string visible(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result += {'\\', 'x', hex[byte >> 4U], hex[byte & 15U]};
    }
  }
  return result;
}

}  // namespace statsd_line
