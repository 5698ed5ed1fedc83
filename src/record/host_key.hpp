// record/host_key.hpp - the part of a URL by which endpoints are told apart: host and port as they are written.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "record/key_block.hpp"
#include "record/scan.hpp"

namespace event_metrics::inline v0::record {

enum class Scheme : std::uint8_t { other, http, https };

struct HostKey {
  std::string_view authority;  ///< `host[:port]` as written, without user info; empty: the URL is invalid
  Scheme scheme = Scheme::other;
};

/// The longest `host[:port]` that can be valid: 255 bytes of host, a colon and five digits.
inline constexpr std::size_t longest_authority = 261;

/// Finds the key in `url` without copying. Empty when there is no `scheme://`, when nothing stands between user info
/// and path, or when it is longer than can be valid: what is too long is never cut, since a cut could keep user info.
/// Empty too where a backslash stands before the path: some clients end the host there, and others at a later `@`.
/// Source: RFC 3986, sections 3.1 and 3.2.
HostKey host_key(std::string_view url) noexcept;

/// What stands between `http(s)://` and the next slash, whatever it is: a guess at host_key() for a fraction of its
/// cost. Equal to a key that host_key() once found it is host_key()'s answer, since a key holds no byte that ends the
/// host sooner or begins it later. Empty without that scheme, or when too long.
inline HostKey likely_host_key(std::string_view url) noexcept {
  const Scheme scheme = url.starts_with("https://")  ? Scheme::https
                        : url.starts_with("http://") ? Scheme::http
                                                     : Scheme::other;
  if (scheme == Scheme::other) return {};
  const std::size_t begin = scheme == Scheme::https ? 8 : 7;
  const std::size_t size = find_first<'/'>(url, begin) - begin;
  return size <= longest_authority ? HostKey{{url.data() + begin, size}, scheme} : HostKey{};
}

/// A key in the form in which it is looked up, where it is shorter than a block.
struct BlockKey {
  KeyBlock bytes{};  ///< the key, a slash and zeros
  std::uint32_t kind = 0;
};

/// What two keys must share before their bytes are worth comparing; never 0.
constexpr std::uint32_t kind_of(std::size_t size, Scheme scheme) noexcept {
  return static_cast<std::uint32_t>(size) << 2U | static_cast<std::uint32_t>(scheme);
}

/// likely_host_key() in that form, where it is shorter than a block and a slash follows; else false. Always inline, or
/// the key would go through memory.
[[gnu::always_inline]] inline bool likely_block_key(std::string_view url, BlockKey& key) noexcept {
  Scheme scheme = Scheme::https;
  if (!url.starts_with("https://")) {
    if (!url.starts_with("http://")) return false;
    scheme = Scheme::http;
  }
  url.remove_prefix(scheme == Scheme::https ? 8 : 7);
  const KeyBlock block =
      url.size() >= block_bytes ? KeyBlock::load(url.data()) : KeyBlock::load(url.data(), url.size());
  const unsigned size = block.find<'/'>();
  if (size == 0 || size == block_bytes) [[unlikely]]
    return false;
  key = {block.first(size + 1), kind_of(size, scheme)};
  return true;
}

/// Whether likely_block_key() guessed right: nothing in what it found ends a host sooner or begins it later.
inline bool is_host(const BlockKey& key) noexcept { return key.bytes.find<'?', '#', '@', '\\'>() == block_bytes; }

}  // namespace event_metrics::inline v0::record
