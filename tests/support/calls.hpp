// support/calls.hpp - every kind of call: by every kind of URL, and with durations of every kind of cell.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "event_metrics/event_metrics.hpp"

namespace support {

/// Calls of one thread. All of them go through the same URLs in the same order, so that the same are beyond the cap.
class Calls {
 public:
  /// The cap for which the last URLs are `other`.
  static constexpr std::size_t max_endpoints = 8;

  /// After this many rounds of a thread there is nothing left for it to see: its ring is full, should nobody take
  /// anything out, and it has counted every URL with every duration in cells as well.
  static constexpr int seen = 1200;

  static constexpr unsigned calls_per_round = 5;

  void make(event_metrics::EventMetrics& metrics, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      const std::string_view url = next_url();
      metrics.increment_active_tasks();
      metrics.record_delivery_success(url, durations[next_ / urls.size() % durations.size()]);
      metrics.record_delivery_failure(url, 503);
      metrics.record_delivery_error(url);
      metrics.decrement_active_tasks();
    }
  }

  static constexpr std::array<std::chrono::nanoseconds, 18> durations = {
      std::chrono::nanoseconds{0},
      std::chrono::nanoseconds{-1},
      std::chrono::microseconds{999},
      std::chrono::milliseconds{1},
      std::chrono::milliseconds{120},
      std::chrono::milliseconds{499},
      std::chrono::milliseconds{1023},
      std::chrono::milliseconds{1024},  // the first whose cells are reached by one step more
      std::chrono::milliseconds{1500},
      std::chrono::milliseconds{4095},
      std::chrono::milliseconds{4096},  // the first that is not exact
      std::chrono::seconds{5},
      std::chrono::seconds{10},
      std::chrono::minutes{2},
      std::chrono::hours{1},
      std::chrono::hours{2},  // from here on milliseconds have more than 22 bits
      std::chrono::hours{24 * 200},
      std::chrono::hours{24 * 365 * 20},  // longer than any cell
  };

 private:
  static constexpr std::string_view usual = "https://hooks-0001.example.com/T0/secret0";
  static constexpr std::string_view another = "https://hooks-0002.example.com/T0/secret0";
  static_assert(usual.size() == 41 && another.size() == 41);

  static constexpr std::array<std::string_view, 17> urls = {
      "https://a.io/x",
      "http://a.io/x",
      usual,
      another,
      "http://hooks-0001.example.com/T0/a/secret",
      "https://hooks.a-host-of-more-than-32-bytes.example.com/T0",
      "https://hooks.a-host-that-is-longer-than-any-line-of-a-cache-or-than-most-others-that-there-are"
      ".example.com/T0/secret",
      "https://user:password@[2001:db8::1]:8443/T0/secret",
      // None of these is a URL.
      "",
      "no url at all",
      "no url at all, and longer than most that are one",
      "https://user:password@/a-path-and-no-host/secret",
      // The cap has been reached.
      "https://beyond.io/x",
      "https://beyond-the-cap.example.com/T0/secret",
      "http://beyond-the-cap.example.com/T0/another/secret",
      "https://user:password@beyond-the-cap.example.com/T0",
      "https://hooks.beyond-the-cap.a-host-that-is-longer-than-any-line-of-a-cache-or-than-most-others-that-there-are"
      ".example.com/T0/secret",
  };

  // Every other time where another one stood the last time, as do the URLs that a service composes for one call.
  std::string_view next_url() {
    const std::string_view url = urls[++next_ % urls.size()];
    if (next_ / urls.size() % 2 == 0) return url;
    url.copy(composed_.data(), url.size());
    return {composed_.data(), url.size()};
  }

  std::size_t next_ = 0;
  std::array<char, 200> composed_{};
};

}  // namespace support
