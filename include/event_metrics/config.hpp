// event_metrics/config.hpp - the version, what is needed of the compiler, and the export macro.

#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "event-metrics needs C++20: compile with -std=c++20 or later"
#endif
#if __SIZEOF_POINTER__ < 8
#error "event-metrics needs a 64-bit target: compile without -m32 or -mx32"
#endif

/// The version as one number, major * 10000 + minor * 100 + patch, and as text. A test holds them against Meson's.
#define EVENT_METRICS_VERSION 100
#define EVENT_METRICS_VERSION_STRING "0.1.0"

/// Marks what the shared library exports. Everything else in it is hidden.
#define EVENT_METRICS_API __attribute__((visibility("default")))
