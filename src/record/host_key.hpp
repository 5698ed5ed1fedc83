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

}  // namespace event_metrics::inline v0::record
