#include "record/arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace event_metrics::inline v0::record {
namespace {

constexpr std::size_t page_bytes = std::size_t{Arena::lines_per_page} * Arena::line_bytes;
constexpr std::uint32_t lines_at_once = 16 * Arena::lines_per_page;
constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, which older headers lack

// Each opening takes a lock of the process's memory for a moment: not one for every page.
constexpr std::size_t least_opened = std::size_t{64} << 10U;

std::byte* map(void* where, std::size_t bytes, int access, int flags) noexcept {
  void* const pages = ::mmap(where, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<std::byte*>(pages);
}

}  // namespace

Arena::Arena(std::size_t bytes) : base_{nullptr}, bytes_{(bytes + page_bytes - 1) / page_bytes * page_bytes} {
  if (bytes_ / line_bytes > std::numeric_limits<std::uint32_t>::max()) throw std::bad_alloc{};
  base_ = map(nullptr, bytes_, PROT_NONE, 0);
  if (base_ == nullptr) throw std::bad_alloc{};
  wiped_on_fork_ = advise(bytes_);
}

bool Arena::advise(std::size_t bytes) const noexcept {
  // A huge page would make two megabytes resident for one line. Only advice: failure costs memory, not truth.
  (void)::madvise(base_, bytes, MADV_NOHUGEPAGE);
  return ::madvise(base_, bytes, MADV_WIPEONFORK) == 0;
}

Arena::~Arena() { (void)::munmap(base_, bytes_); }

bool Arena::open(std::uint32_t lines) noexcept {
  const std::size_t needed = std::size_t{lines} * line_bytes;
  if (needed <= opened_) return true;
  const std::size_t end = std::min(bytes_, (needed + least_opened - 1) / least_opened * least_opened);
  if (needed > end || ::mprotect(base_ + opened_, end - opened_, PROT_READ | PROT_WRITE) != 0) return false;
  opened_ = end;
  return true;
}

std::uint32_t Arena::take(std::uint32_t lines) noexcept {
  std::uint32_t first = taken_.load(std::memory_order_relaxed);
  do {
    // Acquire: what lies below the edge has been touched before it was set.
    if (std::uint64_t{first} + lines > written_.load(std::memory_order_acquire)) return 0;
    // Relaxed: the index alone is claimed; whoever publishes the lines orders their content.
  } while (!taken_.compare_exchange_weak(first, first + lines, std::memory_order_relaxed, std::memory_order_relaxed));
  return first;
}

void Arena::write_ahead(std::uint32_t ready, std::uint32_t limit) noexcept {
  const auto most = static_cast<std::uint32_t>(bytes_ / line_bytes);
  const std::uint32_t old_edge = written();
  const std::uint64_t wanted = (std::uint64_t{taken()} + ready + lines_per_page - 1) / lines_per_page * lines_per_page;
  const std::uint32_t edge =
      static_cast<std::uint32_t>(std::min<std::uint64_t>({wanted, limit / lines_per_page * lines_per_page, most}));
  if (edge <= old_edge || !open(edge)) return;
  // A few pages at a time, as who records meanwhile may be many, and keep this thread from going on.
  for (std::uint32_t line = old_edge; line < edge;) {
    const std::uint32_t end = std::min(line + lines_at_once, edge);
    // In one call the kernel is faster than page by page. What it has not done, older than 5.14, the next line does.
    (void)::madvise(&at<std::byte>(line), std::size_t{end - line} * line_bytes, populate_write);
    for (; line < end; line += lines_per_page) *static_cast<volatile std::byte*>(&at<std::byte>(line)) = std::byte{0};
    written_.store(end, std::memory_order_release);  // pairs with take()
  }
}

void Arena::restart() noexcept {
  taken_.store(1, std::memory_order_relaxed);  // the child's only thread is here
  written_.store(0, std::memory_order_relaxed);
}

void Arena::renew_in_child() noexcept {
  if (is_wiped()) return;
  if (map(base_, opened_, PROT_READ | PROT_WRITE, MAP_FIXED) != nullptr) {
    (void)advise(opened_);
  } else {
    std::memset(base_, 0, std::size_t{written()} * line_bytes);
  }
}

// QEMU's user mode takes the advice, says that it is followed, and copies the pages all the same.
bool Arena::is_wiped() const noexcept {
  std::byte* const end = base_ + std::min(opened_, page_bytes);
  return wiped_on_fork_ && std::all_of(base_, end, [](std::byte each) { return each == std::byte{0}; });
}

}  // namespace event_metrics::inline v0::record
