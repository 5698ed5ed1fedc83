// record/host_key.hpp - the part of a URL by which endpoints are told apart: host and port as they are written.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

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
  const std::string_view authority = url.substr(begin, url.find('/', begin) - begin);
  return authority.size() <= longest_authority ? HostKey{authority, scheme} : HostKey{};
}

}  // namespace event_metrics::inline v0::record
