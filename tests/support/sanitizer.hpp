// support/sanitizer.hpp - what the compiler was told to look for.

#pragma once

namespace support {

#ifdef __has_feature  // Clang's way to say it; GCC has macros
#define EVENT_METRICS_SANITIZER(name) __has_feature(name)
#else
#define EVENT_METRICS_SANITIZER(name) 0
#endif

#if defined(__SANITIZE_THREAD__) || EVENT_METRICS_SANITIZER(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || EVENT_METRICS_SANITIZER(address_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = thread_sanitizer;
#endif

}  // namespace support
