// delivery/host_label.hpp - what an endpoint is called, however its URL is written.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "delivery/host_key.hpp"

namespace event_metrics::inline v0::delivery {

/// The most bytes of a label: a host, a colon and five digits.
inline constexpr std::size_t longest_label = 261;

/// The host, and behind a colon the port if it isn't the scheme's own. ASCII in lower case throughout.
struct HostLabel {
  std::array<char, longest_label> bytes;  ///< what `size` counts
  std::uint16_t size = 0;

  std::string_view text() const noexcept { return {bytes.data(), size}; }
};

/// The label of the endpoint with this key; of size 0 where the key names no host, which counts as `invalid`. A
/// label shows nothing of a URL but its host: whatever else could stand there makes it invalid as a whole, never cut.
///
/// Other code points than ASCII's are written as RFC 3492 has them, without any mapping, so that the Unicode and the
/// `xn--` form of a name have one label. One dot at the host's end is dropped.
HostLabel host_label(const HostKey& key) noexcept;

/// Whether what likely_short_key() finds in `url` shows that there is no host: true only where host_label() would say
/// so, for less. What attackers can send in masses should not take much longer than the hosts of others.
bool is_no_host(std::string_view url) noexcept;

/// The key of a URL whose scheme has no port: its label is this one.
inline HostKey key_of(const HostLabel& label) noexcept { return {label.text(), Scheme::other}; }

}  // namespace event_metrics::inline v0::delivery
