#include "delivery/host_label.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/utf8.hpp"
#include "delivery/punycode.hpp"
#include "delivery/scan.hpp"

namespace event_metrics::inline v0::delivery {
namespace {

constexpr std::size_t longest_host = 255;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What may stand in a name, in lower case, by byte; 0 for what may not. RFC 3986 lets more stand there: `%` or `&`,
// say, shows a path, a query or user info that was put together wrongly, and may be part of a secret.
constexpr std::array<char, 256> name_bytes = [] {
  std::array<char, 256> bytes{};
  for (const char c : std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789-._~"}) {
    bytes[static_cast<unsigned char>(c)] = c;
    if (c >= 'a' && c <= 'z') bytes[static_cast<unsigned char>(c - 'a' + 'A')] = c;
  }
  return bytes;
}();
constexpr char name_byte(char c) noexcept { return name_bytes[static_cast<unsigned char>(c)]; }

// Control characters, white space and what looks like a separator: programs disagree on whether they end a host.
constexpr bool may_stand_in_name(char32_t c) noexcept {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  constexpr char32_t space_of_ogham = 0x1680;
  return c > 0xBF && c < 0xE0000 && c != space_of_ogham && !in(0x2000, 0x2BFF) && !in(0x2E00, 0x2E7F) &&
         !in(0x3000, 0x303F) && !in(0x3200, 0x33FF) && !in(0xE000, 0xF8FF) && !in(0xFE00, 0xFE6F) &&
         !in(0xFF00, 0xFFFF);
}

/// What a name is made of, as far as it matters for how its label is written.
enum class Name : std::uint8_t { invalid, ascii, unicode };

// Before anything is written: what is invalid should not cost more than what is not.
Name look_at(std::string_view name) noexcept {
  constexpr std::size_t most_bytes = 4 * longest_host;  // what is longer has more code points than there may be bytes
  if (name.empty() || name.ends_with('.') || name.size() > most_bytes || name.find('/') != name.npos) {
    return Name::invalid;
  }
  Name name_is = Name::ascii;
  std::size_t bytes = 0;
  for (std::size_t at = 0; (at = find_byte<Plain, false>(name, at)) < name.size(); at += bytes) {
    bytes = 1;
    if (name_byte(name[at]) != '\0') continue;
    const CodePoint next = code_point(name.substr(at));
    bytes = next.bytes;
    if (bytes < 2 || !may_stand_in_name(next.value)) return Name::invalid;
    name_is = Name::unicode;
  }
  return name_is;
}

/// Writes the host of a label. Every function returns false where there is no room for it.
class Host {
 public:
  explicit Host(std::span<char> out) noexcept : out_{out} {}

  bool put_ascii(std::string_view name) noexcept {
    if (name.size() > out_.size() - size_) return false;
    std::ranges::transform(name, out_.subspan(size_).begin(), name_byte);
    size_ += name.size();
    return true;
  }

  bool put_unicode(std::string_view name) noexcept {
    for (;;) {
      const std::string_view part = name.substr(0, name.find('.'));
      if (!put_part(part)) return false;
      if (part.size() == name.size()) return true;
      if (!put('.')) return false;
      name.remove_prefix(part.size() + 1);
    }
  }

  bool put(char c) noexcept {
    if (size_ == out_.size()) return false;
    out_[size_++] = c;
    return true;
  }

  std::size_t size() const noexcept { return size_; }

 private:
  bool put_part(std::string_view part) noexcept {
    if (std::ranges::all_of(part, name_byte)) return put_ascii(part);
    std::array<char32_t, most_code_points> points;
    std::size_t count = 0;
    while (!part.empty()) {
      if (count == points.size()) return false;
      const char ascii = name_byte(part.front());
      const CodePoint next = code_point(part);
      points[count++] = ascii != '\0' ? static_cast<char32_t>(ascii) : next.value;
      part.remove_prefix(next.bytes);
    }
    if (!put_ascii("xn--")) return false;
    const std::size_t written = punycode({points.data(), count}, out_.subspan(size_));
    size_ += written;
    return written != 0;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
};

bool put_name(std::string_view name, Host& host) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  switch (look_at(name)) {
    case Name::ascii:
      return host.put_ascii(name);
    case Name::unicode:
      return host.put_unicode(name);
    case Name::invalid:
      break;
  }
  return false;
}

// What stands in brackets: an address of IPv6, and behind `%` its zone.
bool put_ipv6(std::string_view text, Host& host) noexcept {
  const std::size_t zone = std::min(text.find('%'), text.size());
  const std::string_view address = text.substr(0, zone);
  if (address.find(':') == address.npos || address.find_first_not_of("0123456789abcdefABCDEF:.") != address.npos) {
    return false;
  }
  if (!std::ranges::all_of(text.substr(std::min(zone + 1, text.size())), name_byte)) return false;
  if (!host.put('[')) return false;
  for (const char c : text) {
    if (!host.put(name_byte(c) != '\0' ? name_byte(c) : c)) return false;  // a colon, or the zone's percent sign
  }
  return host.put(']');
}

// 1 to 65535 in at most five digits, 0 for anything else.
std::uint16_t port_number(std::string_view digits) noexcept {
  if (digits.size() > 5 || !std::ranges::all_of(digits, is_digit)) return 0;
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} ? port : std::uint16_t{0};
}

constexpr std::uint16_t default_port(Scheme scheme) noexcept {
  switch (scheme) {
    case Scheme::http:
      return 80;
    case Scheme::https:
      return 443;
    case Scheme::other:
      break;
  }
  return 0;
}

// Whether what stands behind a host, nothing or a colon and what may be a port, is right; puts it behind the label's
// host where it has to be there.
bool put_port(std::string_view text, Scheme scheme, HostLabel& label) noexcept {
  if (text.empty() || text == ":") return true;
  const std::uint16_t port = text.front() == ':' ? port_number(text.substr(1)) : std::uint16_t{0};
  if (port == 0 || port == default_port(scheme)) return port != 0;
  char* const begin = label.bytes.data() + HostLabel::scheme_bytes;
  begin[label.size++] = ':';
  const auto [end, error] = std::to_chars(begin + label.size, begin + longest_label, port);
  label.size = static_cast<std::uint16_t>(end - begin);
  return true;
}

}  // namespace

HostLabel host_label(const HostKey& key) noexcept {
  const std::string_view text = key.authority;
  const bool in_brackets = text.starts_with('[');
  const std::size_t end = std::min(text.find(in_brackets ? ']' : ':'), text.size());
  const std::string_view name = text.substr(0, end);
  HostLabel label;
  Host host{std::span{label.bytes}.subspan(HostLabel::scheme_bytes, longest_host)};
  if (in_brackets ? end < text.size() && put_ipv6(name.substr(1), host) : put_name(name, host)) {
    label.size = static_cast<std::uint16_t>(host.size());
    if (!put_port(text.substr(in_brackets ? end + 1 : end), key.scheme, label)) label.size = 0;
    label.put_scheme();
  }
  return label;
}

Glance glance_at(std::string_view url, std::size_t size, std::size_t at) noexcept {
  if (at >= size) return url[size - 1] != '.' ? Glance::url_of_label : Glance::unknown;
  const char c = url[at];
  const bool may_be_in_host = name_byte(c) != '\0' || c == ':' || c == '[' || c == '#' || (c & 0x80) != 0;
  // At a URL's end white space is ignored.
  return may_be_in_host || size == url.size() ? Glance::unknown : Glance::no_host;
}

Glance longer_glance(std::string_view url, std::size_t size) noexcept {
  if (!url.starts_with(https) || size - https.size() - 1 >= longest_host) return Glance::unknown;
  return glance_at(url, size, find_byte<Plain, false>(url.substr(0, size), https.size()));
}

}  // namespace event_metrics::inline v0::delivery
