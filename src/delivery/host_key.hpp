// delivery/host_key.hpp - the part of a URL by which endpoints are told apart: host and port as they are written.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "delivery/key_bytes.hpp"

namespace event_metrics::inline v0::delivery {

/// Which port goes without saying: that of http and ws, that of https and wss, or none that we know.
enum class Scheme : std::uint8_t { other, http, https };

struct HostKey {
  std::string_view authority;  ///< `host[:port]` as written, without user info; empty: the URL is invalid
  Scheme scheme = Scheme::other;
};

/// Finds the key in `url` without copying; white space at its ends is ignored. Empty when there is no `scheme://`, or
/// when nothing stands between user info and path. Empty too where a backslash stands before the path: some clients end
/// the host there, and others at a later `@`. Source: RFC 3986, sections 3.1 and 3.2.
HostKey host_key(std::string_view url) noexcept;

/// A key in the form in which it is looked up, where it is shorter than KeyBytes.
struct ShortKey {
  KeyBytes bytes{};  ///< the key, a slash and zeros
  std::uint32_t shape = 0;
  const char* begin = nullptr;  ///< in the URL

  std::string_view text() const noexcept { return {begin, shape >> 2U}; }
};

/// What two keys must share before their bytes are worth comparing; never 0. Where no port is written the scheme makes
/// no difference, and is `other`.
constexpr std::uint32_t shape_of(std::size_t size, Scheme scheme) noexcept {
  return static_cast<std::uint32_t>(size) << 2U | static_cast<std::uint32_t>(scheme);
}

/// What stands between `http(s)://` and the next slash, where it is shorter than KeyBytes and a slash follows; else
/// false. A guess at host_key() for a fraction of its cost: where it equals a key of host_key()'s, or a label, it is
/// host_key()'s answer, since neither holds a byte that ends the host sooner or begins it later. Always inline, or the
/// key would go through memory.
[[gnu::always_inline]] inline bool likely_short_key(std::string_view url, ShortKey& key) noexcept {
  Scheme scheme = Scheme::https;
  if (!url.starts_with("https://")) {
    if (!url.starts_with("http://")) return false;
    scheme = Scheme::http;
  }
  url.remove_prefix(scheme == Scheme::https ? 8 : 7);
  const KeyBytes bytes = url.size() >= key_bytes ? KeyBytes::load(url.data()) : KeyBytes::load(url.data(), url.size());
  unsigned size = bytes.find<'/', ':'>();
  if (size < key_bytes && url[size] == ':') {
    size = bytes.find<'/'>();
  } else {
    scheme = Scheme::other;
  }
  if (size == 0 || size == key_bytes) [[unlikely]]
    return false;
  key = {bytes.first(size + 1), shape_of(size, scheme), url.data()};
  return true;
}

/// Whether a key is a label as it stands: letters in lower case, digits, `-` and `.`, with no dot at its end. Some that
/// are labels too are not known as such.
inline bool is_label(const ShortKey& key) noexcept {
  const std::string_view text = key.text();
  return key.bytes.leading_plain() > text.size() && text.back() != '.';  // the slash behind it is counted
}

}  // namespace event_metrics::inline v0::delivery
