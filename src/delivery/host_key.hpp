// delivery/host_key.hpp - the part of a URL by which endpoints are told apart: host and port as they are written.

#pragma once

#include <cstdint>
#include <string_view>

namespace event_metrics::inline v0::delivery {

/// Which port goes without saying: that of http and ws, that of https and wss, or none that we know.
enum class Scheme : std::uint8_t { other, http, https };

struct HostKey {
  std::string_view authority;  ///< `host[:port]` as written, without user info; empty: the URL is invalid
  Scheme scheme = Scheme::other;
  std::string_view spelling = {};  ///< `scheme://host[:port]` as written; empty where user info stands in between
};

/// Finds the key in `url` without copying; white space at its ends is ignored. Empty when there is no `scheme://`, or
/// when nothing stands between user info and path. Empty too where a backslash stands before the path: some clients end
/// the host there, and others at a later `@`. Source: RFC 3986, sections 3.1 and 3.2.
HostKey host_key(std::string_view url) noexcept;

}  // namespace event_metrics::inline v0::delivery
