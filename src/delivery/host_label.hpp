// delivery/host_label.hpp - what an endpoint is called, however its URL is written.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "delivery/host_key.hpp"
#include "delivery/scan.hpp"

namespace event_metrics::inline v0::delivery {

/// The most bytes of a label: a host, a colon and five digits.
inline constexpr std::size_t longest_label = 261;

/// The host, and behind a colon the port if it isn't the scheme's own. ASCII in lower case throughout.
struct HostLabel {
  static constexpr std::size_t scheme_bytes = 8;

  std::array<char, scheme_bytes + longest_label> bytes;  ///< the scheme of url(), and what `size` counts
  std::uint16_t size = 0;

  std::string_view text() const noexcept { return {bytes.data() + scheme_bytes, size}; }

  /// A URL of the endpoint: https, but http where 443 is its port, which goes without saying in the other.
  std::string_view url() const noexcept {
    const std::size_t begin = bytes.front() == 'h' ? 0 : 1;
    return {bytes.data() + begin, scheme_bytes - begin + size};
  }
  /// Writes the scheme of url().
  void put_scheme() noexcept {
    std::ranges::copy(std::string_view{text().ends_with(":443") ? " http://" : "https://"}, bytes.begin());
  }
};

/// The label of the endpoint with this key; of size 0 where the key names no host, which counts as `invalid`. A
/// label shows nothing of a URL but its host: whatever else could stand there makes it invalid as a whole, never cut.
///
/// Other code points than ASCII's are written as RFC 3492 has them, without any mapping, so that the Unicode and the
/// `xn--` form of a name have one label. One dot at the host's end is dropped.
HostLabel host_label(const HostKey& key) noexcept;

inline constexpr std::string_view https = "https://";

/// What stands at the beginning of an https URL, up to `/`, `?` or the end. Unless it is `unknown`, what is told by a
/// glance is what host_label() would say: what attackers can send in masses should not take much longer than the hosts
/// of others.
enum class Glance : std::uint8_t { unknown, url_of_label, no_host };
Glance longer_glance(std::string_view url, std::size_t size) noexcept;
Glance glance_at(std::string_view url, std::size_t size, std::size_t not_plain_at) noexcept;

/// At the first `size` bytes.
inline Glance glance(std::string_view url, std::size_t size) noexcept {
  constexpr std::size_t wide = https.size() + 32;
  if (url.size() < wide || size >= wide || size == https.size() || !url.starts_with(https)) {
    return longer_glance(url, size);
  }
  const std::size_t at = https.size() + find_in_32<Plain, false>(url.data() + https.size());
  return at >= size && url[size - 1] != '.' ? Glance::url_of_label : glance_at(url, size, at);
}

}  // namespace event_metrics::inline v0::delivery
