// support/allocations.hpp - counts what `new` is asked for, and lets it fail. Takes the place of the global operators
// in the one file of a program that includes it.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace support {

/// By all threads, since the program began.
inline std::atomic<long> allocations{0};

/// How many of this thread's next allocations succeed before one fails; negative: none does.
inline thread_local constinit long allocations_until_failure = -1;

}  // namespace support

namespace support {
inline void count_allocation() {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (allocations_until_failure >= 0 && allocations_until_failure-- == 0) throw std::bad_alloc{};
}
}  // namespace support

// Not inlined, or GCC sees one half of a pair without the other and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  support::count_allocation();
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  support::count_allocation();
  void* const memory = std::aligned_alloc(static_cast<std::size_t>(alignment), size);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
