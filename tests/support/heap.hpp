// support/heap.hpp - counts how often a thread turns to the heap, whichever way it goes there. Takes the place of
// malloc and its kin in the one file of a program that includes it, so not for a program with a sanitizer.

#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace support {

/// By this thread, to have memory or to give it back.
inline thread_local constinit long heap_uses = 0;

}  // namespace support

// NOLINTBEGIN: the names are glibc's
extern "C" {
void* __libc_malloc(std::size_t size) noexcept;
void* __libc_calloc(std::size_t count, std::size_t size) noexcept;
void* __libc_realloc(void* memory, std::size_t size) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t size) noexcept;
void __libc_free(void* memory) noexcept;

void* malloc(std::size_t size) noexcept {
  ++support::heap_uses;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++support::heap_uses;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  ++support::heap_uses;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++support::heap_uses;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  ++support::heap_uses;
  *memory = __libc_memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}
void free(void* memory) noexcept {
  if (memory != nullptr) ++support::heap_uses;
  __libc_free(memory);
}
}
// NOLINTEND
