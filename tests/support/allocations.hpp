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

// Not inlined, or GCC sees one half of a pair without the other and warns.
[[gnu::noinline]] void* operator new(std::size_t size) {
  support::allocations.fetch_add(1, std::memory_order_relaxed);
  if (support::allocations_until_failure >= 0 && support::allocations_until_failure-- == 0) throw std::bad_alloc{};
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
