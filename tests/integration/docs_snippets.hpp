// The C++ of the pages under docs/: compiled here, compared in readme_test.cpp, but for its indentation. Nothing runs
// it, because it would send to the agent of whoever runs the tests.

#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "event_metrics/statsd_event_metrics.hpp"

namespace docs {

using namespace event_metrics;

inline void datadog() {
  StatsdEventMetrics metrics{{
                                 .agent = statsd::Agent::datadog,
                                 .address = "unix:///var/run/datadog/dsd.socket",  // or "udp://127.0.0.1:8125"
                                 .tags = {{"env", "prod"}, {"service", "shop"}},
                             },
                             {.distribution = true}};
}

inline void from_environment() {
  StatsdEventMetrics metrics{statsd::datadog_from_environment(), {.distribution = true}};
}

inline void telegraf() {
  StatsdEventMetrics metrics{{
      .agent = statsd::Agent::telegraf,
      .address = "udp://127.0.0.1:8125",
      .tags = {{"service", "shop"}, {"process", "web-1"}},
  }};
}

inline void statsd_exporter() {
  StatsdEventMetrics metrics{{
      .agent = statsd::Agent::statsd_exporter,
      .address = "unix:///run/statsd.sock",  // --statsd.listen-unixgram; or "udp://127.0.0.1:8125"
      .tags = {{"service", "shop"}, {"process", "web-1"}},
  }};
}

inline void etsy() {
  StatsdEventMetrics metrics{{
      .agent = statsd::Agent::etsy,
      .address = "udp://127.0.0.1:8125",
      .prefix = "web1.",  // tells processes apart, where there are no tags
  }};
}

inline void graphite() {
  StatsdEventMetrics metrics{{
      .agent = statsd::Agent::graphite,
      .address = "udp://127.0.0.1:8125",
      .tags = {{"service", "shop"}, {"process", "web-1"}},
  }};
}

inline void plain() {
  StatsdEventMetrics metrics{{
      .agent = statsd::Agent::plain,
      .address = "udp://127.0.0.1:8125",
      .prefix = "shop.web1.",
  }};
}

inline void collectd() {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::collectd, .address = "udp://127.0.0.1:8125", .prefix = "shop."}};
}

inline void netdata() {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::netdata, .address = "udp://127.0.0.1:8125", .prefix = "shop."}};
}

inline void cloudwatch() {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::cloudwatch, .address = "udp://127.0.0.1:8125"}};
}

inline void vector() {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::vector, .address = "udp://127.0.0.1:8125"}};
}

inline void gostatsd() {
  StatsdEventMetrics metrics{{.agent = statsd::Agent::gostatsd, .address = "udp://127.0.0.1:8125"}};
}

inline void ask(StatsdEventMetrics& metrics) {
  const bool all_sent = metrics.flush(std::chrono::seconds{1});
  const statsd::Stats stats = metrics.stats();
  std::fprintf(stderr,
               "sent: %s, recorded %ju, accepted %ju, owed %ju, datagrams refused %ju, delayed %ju, errors %ju\n",
               all_sent ? "all" : "not all", std::uintmax_t{stats.recorded}, std::uintmax_t{stats.accepted},
               std::uintmax_t{stats.owed}, std::uintmax_t{stats.datagrams_refused},
               std::uintmax_t{stats.datagrams_delayed}, std::uintmax_t{stats.send_errors + stats.connect_errors});
}

StatsdEventMetrics& metrics() {
  static auto& leaked = *new StatsdEventMetrics{{.agent = statsd::Agent::datadog}};
  return leaked;
}

void send_the_rest() { (void)metrics().flush(std::chrono::milliseconds{250}); }

StatsdEventMetrics tasks_of(int worker) {
  return StatsdEventMetrics{{.agent = statsd::Agent::datadog, .tags = {{"worker", std::to_string(worker)}}}};
}

}  // namespace docs
