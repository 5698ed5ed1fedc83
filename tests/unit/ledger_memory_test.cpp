// What a ledger takes, and says that it takes.

#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/sanitizer.hpp"
#include "unit/ledger_rig.hpp"

namespace event_metrics::ledger {
namespace {

using namespace std::chrono_literals;

TEST(Ledger, TakesAKibibyteAndAHalfForAChunkOfCells) {
  constexpr std::size_t header = 8;  // of one thread, whose address the reading keeps
  Books books;
  const std::size_t before = books.ledger.memory_bytes();
  books.recorder.success(url, 7ms);
  books.fold();
  EXPECT_EQ(books.ledger.memory_bytes(), before + 1536 + 192 + header);
  books.recorder.success(url, 8ms);
  books.recorder.failed(url);
  books.fold();
  EXPECT_EQ(books.ledger.memory_bytes(), before + 1536 + 192 + header);
  books.recorder.success(url, 64ms);
  books.fold();
  EXPECT_EQ(books.ledger.memory_bytes(), before + 1536 + 192 + 1536 + header);
}

TEST(Ledger, TakesTwoLinesForTheWayToAllThatIsNotExact) {
  Books books;
  books.recorder.success(url, 7ms);
  books.fold();
  const std::size_t before = books.ledger.memory_bytes();
  books.recorder.success(url, 5s);
  books.fold();
  EXPECT_EQ(books.ledger.memory_bytes(), before + 128 + 1536 + 192);
  books.recorder.success(url, 24h);
  books.fold();
  EXPECT_EQ(books.ledger.memory_bytes(), before + 128 + 2 * (1536 + 192));
}

std::size_t heap_bytes() {
  const struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

TEST(Ledger, HasToldTheHeapThatAHundredThousandEndpointsTake) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer's heap does not tell its size";
  constexpr std::uint32_t endpoints = 100'000;
  constexpr std::size_t in_arena = endpoints * std::size_t{1536 + 192};
  Recording recorder{{1, false, memory}};
  const std::size_t before = heap_bytes();
  Ledger ledger{recorder.recorder().budget(), endpoints};
  for (std::uint32_t i = 0; i < endpoints; ++i) ledger.attach_row(ledger.add_series());
  constexpr std::size_t in_whole_pages = 8 * 4096;  // of a few large blocks
  EXPECT_LE(heap_bytes() - before, Ledger::fixed_bytes(endpoints) - in_arena + in_whole_pages);
}

// At the smallest memory no duration has a cell, and each series needs one for its octave.
TEST(Ledger, HasRoomForTheOctavesOfEachSeriesAtTheSmallestMemory) {
  constexpr std::uint32_t endpoints = 200;
  Recording recorder{{endpoints, true, Recording::fixed_bytes({endpoints, true, 0})}};
  Ledger ledger{recorder.recorder().budget(), endpoints + delivery::first_endpoint};
  for (std::uint32_t i = 0; i < endpoints; ++i) {
    recorder.success("https://host" + std::to_string(i) + "/", std::chrono::milliseconds{i * 100});
  }
  while (ledger.row_count() < recorder.endpoint_count()) ledger.attach_row(ledger.add_series());
  EXPECT_TRUE(ledger.fold(recorder.recorder(), true));
  EXPECT_EQ(ledger.totals().timings_recorded, 200U);
  EXPECT_EQ(ledger.totals().coarse, 200U);
}

TEST(Ledger, TellsTheHeapThatASeriesOfManyEndpointsTakes) {
  if (support::sanitized) GTEST_SKIP() << "a sanitizer's heap does not tell its size";
  constexpr std::uint32_t endpoints = 2000;
  Recording recorder{{endpoints, true, memory}};
  Ledger ledger{recorder.recorder().budget(), endpoints + delivery::first_endpoint};
  (void)recorder.write_ahead();
  const std::uint32_t series = ledger.add_series();
  for (std::uint32_t i = 0; i < endpoints; ++i) {
    // Past a full ring, in cells of this thread's own.
    for (int call = 0; call < 2; ++call)
      recorder.success("https://host-" + std::to_string(i) + "/0123456789012345678901234", 7ms);
  }
  while (ledger.row_count() < recorder.endpoint_count()) ledger.attach_row(series);
  const std::size_t heap = heap_bytes();
  const std::size_t told = ledger.memory_bytes();
  ledger.fold(recorder.recorder(), true);
  EXPECT_EQ(ledger.recorded(series), 2 * endpoints);
  EXPECT_GT(heap_bytes(), heap);
  EXPECT_LE(heap_bytes() - heap, ledger.memory_bytes() - told + 4096);  // malloc keeps what grew
}

}  // namespace
}  // namespace event_metrics::ledger
