// Any text as a URL: its label is a canonical form of its host that shows nothing else of it, and one tag with one
// value for every agent.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "delivery/host_key.hpp"
#include "delivery/host_label.hpp"
#include "fuzz/fuzz.hpp"
#include "wire/agent_rules.hpp"
#include "wire/tags.hpp"

using namespace event_metrics;

namespace {

constexpr bool is_white_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Host and port as they are written: behind the last @ of the authority, to the first byte at which any program may
// think that they end. A code point is told from the others where it is read as one.
std::string_view written_host(std::string_view url, bool& is_all) {
  while (!url.empty() && is_white_space(url.back())) url.remove_suffix(1);
  url.remove_prefix(std::min(url.find("://") + 3, url.size()));
  url = url.substr(0, url.find_first_of("/?#"));
  url.remove_prefix(url.rfind('@') + 1);
  std::size_t end = 0;
  while (end < url.size()) {
    const CodePoint next = code_point(url.substr(end));
    const bool is_separator = next.value == '\\' || next.value < 0x21 || next.value == 0x7F ||
                              (next.value >= 0x80 && next.value < 0xC0) || next.value == 0x1680 ||
                              (next.value >= 0x2000 && next.value < 0x2C00) ||
                              (next.value >= 0x3000 && next.value < 0x3040) || next.value >> 8U == 0xFF;
    if (next.bytes == 0 || is_separator) break;
    end += next.bytes;
  }
  is_all = end == url.size();
  return url.substr(0, end);
}

// RFC 3492, section 6.2.
std::u32string decoded(std::string_view text) {
  const std::size_t delimiter = text.rfind('-');
  std::u32string result;
  if (delimiter != std::string_view::npos) result.assign(text.begin(), text.begin() + static_cast<long>(delimiter));
  std::uint32_t value = 128;
  std::uint32_t place = 0;
  std::uint32_t bias = 72;
  for (std::size_t at = delimiter == std::string_view::npos ? 0 : delimiter + 1; at < text.size();) {
    const std::uint32_t before = place;
    for (std::uint32_t weight = 1, k = 36;; k += 36) {
      const char c = at < text.size() ? text[at++] : 'a';
      const auto digit = static_cast<std::uint32_t>(c >= 'a' ? c - 'a' : c - '0' + 26);
      place += digit * weight;
      const std::uint32_t threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    const auto length = static_cast<std::uint32_t>(result.size()) + 1;
    std::uint32_t delta = (place - before) / (before == 0 && value == 128 ? 700 : 2);
    delta += delta / length;
    for (bias = 0; delta > 455; bias += 36) delta /= 35;
    bias += 36 * delta / (delta + 38);
    value += place / length;
    place %= length;
    result.insert(result.begin() + place++, static_cast<char32_t>(value));
  }
  return result;
}

std::u32string code_points(std::string_view text) {
  std::u32string result;
  while (!text.empty()) {
    const CodePoint next = code_point(text);
    result += next.value >= 'A' && next.value <= 'Z' ? next.value + 32 : next.value;
    text.remove_prefix(next.bytes);
  }
  return result;
}

// Part by part, the label says what was written and no more.
void check_host(std::string_view written, std::string_view label) {
  const auto host = [](std::string_view text) {
    return text.substr(0, text.starts_with('[') ? text.find(']') + 1 : text.find(':'));
  };
  written = host(written);
  std::string_view told = host(label);
  if (written.ends_with('.')) written.remove_suffix(1);
  while (!written.empty() || !told.empty()) {
    const std::string_view from = written.substr(0, written.find('.'));
    const std::string_view to = told.substr(0, told.find('.'));
    const std::u32string points = code_points(from);
    const bool is_ascii = points.find_first_not_of(U"abcdefghijklmnopqrstuvwxyz0123456789-_~[]:%") == points.npos;
    fuzz::require(is_ascii || to.starts_with("xn--"), "what is not ASCII is written in it", label);
    fuzz::require((is_ascii ? std::u32string(to.begin(), to.end()) : decoded(to.substr(4))) == points,
                  "the label says the host", label);
    written.remove_prefix(std::min(from.size() + 1, written.size()));
    told.remove_prefix(std::min(to.size() + 1, told.size()));
  }
}

std::string label_of(std::string_view url) {
  const delivery::HostLabel label = delivery::host_label(delivery::host_key(url));
  return label.size == 0 ? "invalid" : std::string{label.text()};
}

void check_label(std::string_view url, std::string_view label) {
  bool is_all = false;
  const std::string_view written = written_host(url, is_all);
  fuzz::require(label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._~[]:%") == label.npos,
                "a label is plain ASCII", label);
  fuzz::require(is_all, "what may be more than a host is none", url);
  check_host(written, label);
  const delivery::HostLabel again = delivery::host_label({label, delivery::Scheme::other});
  fuzz::require(again.text() == label, "a label is its own", label);
}

// What a call believes without a closer look: of what the URL begins with, and where that is a spelling.
void check_guess(std::string_view url, const delivery::HostKey& key, std::string_view label) {
  const std::size_t size = url.size() > 8 ? std::min(url.find_first_of("/?@", 8), url.size()) : url.size();
  if (size < url.size() && url[size] == '@') return;
  const delivery::Glance seen = delivery::glance(url, size);
  fuzz::require(seen != delivery::Glance::url_of_label || url.substr(8, size - 8) == label, "what seems a label is one",
                url);
  fuzz::require(seen != delivery::Glance::no_host || label == "invalid", "what seems no host is none", url);
  const std::string spelling{url.substr(0, size)};
  const delivery::HostKey spelled = delivery::host_key(spelling);
  fuzz::require(spelled.spelling != spelling || (spelled.authority == key.authority && spelled.scheme == key.scheme),
                "what begins with a spelling is of its endpoint", url);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string url(reinterpret_cast<const char*>(data), size);
  const delivery::HostKey key = delivery::host_key(url);
  fuzz::require(key.authority.find_first_of("/@?#\\") == std::string_view::npos, "a key has no such byte",
                key.authority);
  const std::string label = label_of(url);
  fuzz::require(!label.empty() && label.size() <= delivery::longest_label, "the label has a length", label);
  if (label != "invalid") check_label(url, label);
  check_guess(url, key, label);
  for (const wire::AgentRules& rules : wire::all_rules()) {
    const statsd::Tag tag{"endpoint", label};
    const std::string text = "name:1|c" + wire::tag_suffix(rules, {&tag, 1});
    const statsd_line::Line line = fuzz::line(text);
    fuzz::require(line.name == "name" && line.value == "1" && line.type == "c" && !line.rate, "no field changed", text);
    fuzz::require(line.tags.size() == (rules.tags ? 1 : 0), "one tag where there are tags", text);
    if (!rules.tags) continue;
    fuzz::require(line.tags[0].key == "endpoint" && line.tags[0].value == wire::clean_value(label, rules),
                  "the tag says the label", text);
  }
  return 0;
}
