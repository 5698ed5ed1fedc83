// record/arena.hpp - one reservation of zeroed memory per client, handed out in 64-byte lines that are never given
// back.
//
// Lines are addressed by 32-bit index, 0 meaning none. Callers take lines below an edge that the flushing thread
// moves on after it has touched the pages, so taking neither waits nor faults, and nothing is reused, so no index is
// ever stale. A forked child finds every page zero: a page that the parent writes on is not copied first. What is not
// needed yet may not be accessed either, so that mlockall() makes no more of it resident than is used.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace event_metrics::inline v0::record {

class Arena {
 public:
  static constexpr std::size_t line_bytes = 64;
  static constexpr std::uint32_t lines_per_page = 4096 / line_bytes;

  /// Reserves `bytes` of address space, rounded up to pages, and touches none of it. Throws std::bad_alloc.
  explicit Arena(std::size_t bytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `lines` consecutive zeroed lines, or 0 when fewer are ready. Any thread; never waits.
  std::uint32_t take(std::uint32_t lines) noexcept;

  /// Makes the first `lines` accessible, and some more. False when there is no memory for that. One thread at a time.
  bool open(std::uint32_t lines) noexcept;

  /// Opens and touches pages until `ready` lines lie untaken below the edge, or the edge is at `limit` lines, or
  /// there is no more memory. One thread at a time.
  void write_ahead(std::uint32_t ready, std::uint32_t limit) noexcept;

  std::uint32_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }  // a figure, orders nothing
  std::uint32_t written() const noexcept { return written_.load(std::memory_order_relaxed); }
  std::uint32_t ready() const noexcept {
    const std::uint32_t first = taken();  // before the edge, which only grows: never above it
    return std::max(written(), first) - first;
  }

  template <class T>
  T& at(std::uint32_t line) const noexcept {
    return *reinterpret_cast<T*>(base_ + std::size_t{line} * line_bytes);
  }

  /// Starts over on zeroed pages: in a forked child, before its first call.
  void restart() noexcept;

  /// In the child of a fork: makes its pages zero where the kernel has not promised that, or not done it. Whoever has
  /// written anywhere must have left something on the first page.
  void renew_in_child() noexcept;

 private:
  bool advise(std::size_t bytes) const noexcept;
  bool is_wiped() const noexcept;

  std::byte* base_;
  std::size_t bytes_;
  std::size_t opened_ = 0;  // bytes from the base that may be accessed
  bool wiped_on_fork_;
  // Callers write the first, the flusher the second: lines of their own keep them apart.
  alignas(line_bytes) std::atomic<std::uint32_t> taken_{1};
  alignas(line_bytes) std::atomic<std::uint32_t> written_{0};
};

/// How many lines so many bytes take, at least one.
constexpr std::uint32_t lines_of(std::size_t bytes) noexcept {
  return static_cast<std::uint32_t>((bytes - 1) / Arena::line_bytes + 1);
}

}  // namespace event_metrics::inline v0::record
