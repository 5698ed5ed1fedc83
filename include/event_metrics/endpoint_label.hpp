// event_metrics/endpoint_label.hpp - how the backends tell endpoints apart.

#pragma once

#include <cstdint>  // std::uint8_t

#include "event_metrics/config.hpp"

namespace event_metrics::inline v0 {

/// What of an endpoint's URL becomes the tag or label `endpoint`.
enum class EndpointLabel : std::uint8_t {
  none,  ///< nothing: one series for all endpoints
  /// The host, with the port if it isn't the scheme's own; never user info, path or query. In lower case, in ASCII
  /// (other letters as RFC 3492 has them, `xn--`, unmapped) and without a dot at its end: a name has one label, and is
  /// one endpoint, however URLs spell it; addresses are taken as they are written. `invalid` for all URLs without `://`
  /// or a host, or whose host has more than 255 bytes, white space, control characters, ill-formed UTF-8 or most of
  /// what looks like a separator. Labels that differ only in bytes that an agent's tags cannot have (Graphite's `:`)
  /// share a series.
  host,
};

}  // namespace event_metrics::inline v0
