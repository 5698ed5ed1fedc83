#include "ledger/ledger.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/sanitizer.hpp"
#include "unit/ledger_rig.hpp"

namespace event_metrics::ledger {
namespace {

using namespace std::chrono_literals;

std::string text(const Counts& counts) {
  return std::to_string(counts.observed) + " successes, " + std::to_string(counts.tallied) + " failed, " +
         (counts.announced ? "announced" : "new");
}

TEST(Ledger, OwesNothingBeforeAnythingWasRecorded) {
  Books books;
  EXPECT_TRUE(books.ledger.owes_nothing());
  books.fold();
  EXPECT_TRUE(books.ledger.owes_nothing());
  EXPECT_EQ(books.ledger.next_owing_counters(0), std::nullopt);
  EXPECT_EQ(books.ledger.next_owing_timings(0), std::nullopt);
  EXPECT_EQ(books.ledger.owed_gauge(), std::nullopt);
}

TEST(Ledger, OwesWhatWasFolded) {
  Books books;
  books.recorder.success(url, 7ms);
  books.recorder.success(url, 7ms);
  books.recorder.success(url, 5s);
  books.recorder.failed(url);
  EXPECT_TRUE(books.ledger.owes_nothing());  // not folded yet
  books.fold();
  EXPECT_EQ(text(books.ledger.owed_counts(a)), "3 successes, 1 failed, new");
  EXPECT_EQ(books.owed_cells(a), (std::vector<std::uint32_t>{7, record::cell_of(5000)}));
  EXPECT_EQ(books.ledger.owed(a, 7), 2U);
  EXPECT_EQ(books.ledger.owed(a, record::cell_of(5000)), 1U);
  EXPECT_EQ(books.ledger.owed(a, 8), 0U);
  EXPECT_EQ(books.ledger.owed(a, 14'335), 0U);
  EXPECT_EQ(books.ledger.recorded(a), 4U);
  EXPECT_EQ(books.ledger.next_owing_counters(a + 1), a);  // neither `other` nor `invalid` has anything to announce
  EXPECT_EQ(books.ledger.next_owing_timings(a + 1), a);
}

TEST(Ledger, FoldsEachCountOnce) {
  Books books;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    books.recorder.success(url, 7ms);
    books.recorder.failed(url);
    books.fold();
    books.fold();
    EXPECT_EQ(books.ledger.owed(a, 7), round);
    EXPECT_EQ(books.ledger.recorded(a), 2 * round);
  }
}

TEST(Ledger, OwesTheRestOfWhatWasCommitted) {
  Books books;
  for (int i = 0; i < 5; ++i) books.recorder.success(url, 7ms);
  books.recorder.failed(url);
  books.fold();
  books.ledger.commit(successes(3));
  books.ledger.commit(announced);
  EXPECT_EQ(text(books.ledger.owed_counts(a)), "2 successes, 1 failed, announced");
  books.ledger.commit({a, 7, 4});
  EXPECT_EQ(books.ledger.owed(a, 7), 1U);
  EXPECT_EQ(books.owed_cells(a), (std::vector<std::uint32_t>{7}));
  EXPECT_FALSE(books.ledger.owes_nothing());

  books.ledger.commit(successes(2));
  books.ledger.commit(failures(1));
  EXPECT_EQ(books.ledger.next_owing_counters(0), std::nullopt);
  EXPECT_EQ(books.ledger.next_owing_timings(0), a);
  books.ledger.commit({a, 7, 1});
  EXPECT_EQ(books.owed_cells(a), (std::vector<std::uint32_t>{}));
  EXPECT_TRUE(books.ledger.owes_nothing());
  books.fold();
  EXPECT_TRUE(books.ledger.owes_nothing());
}

TEST(Ledger, OwesAgainWhatIsTakenBack) {
  Books books;
  books.recorder.success(url, 7ms);
  books.recorder.failed(url);
  books.fold();
  const std::array datagram{successes(1), failures(1), announced, Share{a, 7, 1}};
  for (const Share& share : datagram) books.ledger.commit(share);
  EXPECT_TRUE(books.ledger.owes_nothing());
  books.recorder.success(url, 7ms);
  books.recorder.success(url, 8ms);
  books.fold();
  for (const Share& share : datagram) books.ledger.take_back(share);
  EXPECT_EQ(text(books.ledger.owed_counts(a)), "3 successes, 1 failed, new");
  EXPECT_EQ(books.owed_cells(a), (std::vector<std::uint32_t>{7, 8}));
  EXPECT_EQ(books.ledger.owed(a, 7), 2U);
  EXPECT_EQ(books.ledger.next_owing_timings(0), a);
}

TEST(Ledger, AnnouncesASeriesOnceAndAgainAfterTakeBack) {
  Books books;
  books.recorder.failed(url);
  books.fold();
  EXPECT_FALSE(books.ledger.owed_counts(a).announced);
  books.ledger.commit(failures(1));
  EXPECT_EQ(books.ledger.next_owing_counters(0), a);  // its zeros have not been told
  books.ledger.commit(announced);
  EXPECT_EQ(books.ledger.next_owing_counters(0), std::nullopt);
  books.ledger.take_back(announced);
  EXPECT_EQ(books.ledger.next_owing_counters(0), a);
  EXPECT_EQ(text(books.ledger.owed_counts(a)), "0 successes, 0 failed, new");

  // Two datagrams announced it, and the first did not arrive: the second did.
  books.ledger.commit(announced);
  books.ledger.commit(announced);
  books.ledger.take_back(announced);
  EXPECT_TRUE(books.ledger.owed_counts(a).announced);
  EXPECT_EQ(books.ledger.next_owing_counters(0), std::nullopt);
}

TEST(Ledger, AddsUpEndpointsThatShareASeries) {
  Books books;
  (void)books.ledger.add_series();
  for (int endpoint = 0; endpoint < 4; ++endpoint) books.ledger.attach_row(0);
  books.recorder.success("https://a/", 7ms);
  books.recorder.success("https://A/", 7ms);
  books.recorder.success("https://A/", 9ms);
  books.recorder.failed("https://a/");
  books.recorder.failed("https://A/");
  books.fold();
  EXPECT_EQ(books.ledger.series_count(), 1U);
  EXPECT_EQ(text(books.ledger.owed_counts(0)), "3 successes, 2 failed, new");
  EXPECT_EQ(books.ledger.owed(0, 7), 2U);
  books.recorder.success("https://a/", 7ms);  // one alone: the other's counts are not taken in again
  books.fold();
  EXPECT_EQ(books.ledger.owed(0, 7), 3U);
  EXPECT_EQ(books.ledger.totals().recorded, 6U);
}

TEST(Ledger, FindsWhatOwesInCircles) {
  constexpr std::uint32_t series = 130;  // marks of more than two words
  Books books{series - delivery::first_endpoint};
  for (const std::uint32_t endpoint : {3U, 63U, 64U, 128U}) {
    while (books.recorder.endpoint_count() <= endpoint) {
      books.recorder.success("https://hook" + std::to_string(books.recorder.endpoint_count()) + "/", 7ms);
    }
  }
  books.fold();
  for (std::uint32_t i = 2; i < 129; ++i) {
    if (i == 3 || i == 63 || i == 64 || i == 128) continue;
    for (const Share& share : {Share{i, observed_item, 1}, Share{i, announced_item, 1}, Share{i, 7, 1}}) {
      books.ledger.commit(share);
    }
  }
  struct Step {
    std::uint32_t from;
    std::uint32_t found;
  };
  for (const Step step : {Step{0, 3}, Step{3, 3}, Step{4, 63}, Step{63, 63}, Step{64, 64}, Step{65, 128},
                          Step{128, 128}, Step{129, 3}, Step{191, 3}, Step{192, 3}}) {
    EXPECT_EQ(books.ledger.next_owing_counters(step.from), step.found) << step.from;
    EXPECT_EQ(books.ledger.next_owing_timings(step.from), step.found) << step.from;
  }
}

TEST(Ledger, OwesCellsInAscendingOrder) {
  Books books;
  const std::vector<std::uint32_t> cells{0, 63, 64, 1023, 1024, 4095, 4096, 14'335, 14'336, 31'743};
  for (const std::int64_t ms :
       {4'194'304L, 549'755'813'888L, 4'096L, 64L, 0L, 1'024L, 4'194'305L, 4'095L, 63L, 1'023L}) {
    books.recorder.success(url, std::chrono::milliseconds{ms});
  }
  books.fold();
  EXPECT_EQ(books.owed_cells(a), cells);
  EXPECT_EQ(books.ledger.next_owing(a, 4'097), 14'335U);
  EXPECT_EQ(books.ledger.next_owing(a, 14'337), 31'743U);
  for (const std::uint32_t cell : cells) books.ledger.commit({a, cell, 1});
  EXPECT_EQ(books.owed_cells(a), std::vector<std::uint32_t>{});
}

TEST(Ledger, OwesDurationsWithoutACellByOctaveAndCountsThem) {
  Recording recorder{{20'000, false, 64U << 20U},
                     [](bool) { return true; }};  // a thread's place does not fit what is left of its pages
  Ledger ledger{recorder.recorder().budget(), 2};
  ledger.attach_row(ledger.add_series());
  recorder.success(url, 1000ms);
  recorder.success(url, 1001ms);
  ledger.fold(recorder.recorder(), true);
  ledger.begin_round();
  EXPECT_EQ(ledger.owed(0, record::fine_cells + 9), 2U);
  EXPECT_EQ(ledger.owed_counts(0).observed, 2U);
  EXPECT_EQ(ledger.totals().coarse, 2U);
  EXPECT_EQ(ledger.totals().timings_recorded, 2U);
  ledger.commit({0, record::fine_cells + 9, 2});
  EXPECT_EQ(ledger.totals().timings_accepted, 2U);
  EXPECT_EQ(ledger.totals().coarse, 2U);
}

// More endpoints than one Rows of a thread has, and more calls than a ring holds.
TEST(Ledger, LosesNoCountOfEndpointsThatAFoldDidNotKnow) {
  constexpr std::uint32_t endpoints = 5 * record::Rows::count;
  Books books{2000};
  books.recorder.failed("https://hook0/");
  books.fold();
  for (std::uint32_t i = 1; i < endpoints; ++i) books.recorder.failed("https://hook" + std::to_string(i) + "/");
  books.ledger.fold(books.recorder.recorder(), true);
  EXPECT_EQ(books.ledger.totals().recorded, 1U);
  books.fold();
  for (std::uint32_t i = 0; i < endpoints; ++i) ASSERT_EQ(books.ledger.recorded(a + i), 1U) << i;
}

TEST(Ledger, OwesTheLastValueOfAGauge) {
  Books books;
  const Share gauge{0, gauge_item, 1};
  books.ledger.owe_gauge(5);
  EXPECT_FALSE(books.ledger.owes_nothing());
  books.ledger.owe_gauge(-3);
  EXPECT_EQ(books.ledger.owed_gauge(), -3);
  books.ledger.commit(gauge);
  EXPECT_EQ(books.ledger.owed_gauge(), std::nullopt);
  EXPECT_TRUE(books.ledger.owes_nothing());
  books.ledger.take_back(gauge);
  EXPECT_EQ(books.ledger.owed_gauge(), -3);
  books.ledger.commit(gauge);
  books.ledger.owe_gauge(8);
  books.ledger.commit(gauge);
  books.ledger.take_back(gauge);
  EXPECT_EQ(books.ledger.owed_gauge(), 8);  // never the one that was on its way
}

TEST(Ledger, HasTotalsThatAddUp) {
  Books books;
  for (int i = 0; i < 5; ++i) books.recorder.success(url, 7ms);
  books.recorder.failed(url);
  books.recorder.failed("no url");
  books.fold();
  const Totals& totals = books.ledger.totals();
  EXPECT_EQ(totals.recorded, 7U);
  EXPECT_EQ(totals.recorded, books.ledger.recorded(a) + books.ledger.recorded(delivery::invalid_endpoint));
  EXPECT_EQ(totals.timings_recorded, 5U);
  EXPECT_EQ(totals.accepted, 0U);
  for (const Share& share : {successes(3), failures(1), announced, Share{a, 7, 4}, Share{0, gauge_item, 1}}) {
    books.ledger.commit(share);
  }
  EXPECT_EQ(totals.accepted, 4U);  // deliveries: neither an announcement nor a gauge is one
  EXPECT_EQ(totals.timings_accepted, 4U);
  books.ledger.take_back(successes(3));
  books.ledger.take_back({a, 7, 4});
  EXPECT_EQ(totals.accepted, 1U);
  EXPECT_EQ(totals.timings_accepted, 0U);
  EXPECT_EQ(totals.recorded, 7U);
  EXPECT_EQ(totals.coarse, 0U);
}

// As after minutes in which nobody folds: nobody can count so far here, so this thread's own cells start with a lot.
TEST(Ledger, TakesInMoreThan2To32AtOnce) {
  Books books;
  for (std::uint32_t call = 0; call <= record::ring_words; ++call) books.recorder.failed(url);
  for (int call = 0; call < 2; ++call) books.recorder.success(url, 7ms);
  books.fold();
  EXPECT_EQ(text(books.ledger.owed_counts(a)), "2 successes, 1025 failed, new");
  for (std::uint32_t call = 0; call < record::ring_words; ++call) books.recorder.failed(url);
  record::Rows& rows = *record::this_thread.first_lane.block->rows[0];
  rows.tally[a] += 0xFFFF'FFFFU;
  rows.header[a]->near.chunk[0]->cell[7] += 0xFFFF'FFFFU;
  for (int call = 0; call < 5; ++call) {
    books.recorder.failed(url);
    books.recorder.success(url, 7ms);
  }
  books.fold();
  EXPECT_EQ(books.ledger.owed(a, 7), 4'294'967'302U);
  EXPECT_EQ(text(books.ledger.owed_counts(a)), "4294967302 successes, 4294969349 failed, new");
  EXPECT_EQ(books.ledger.totals().recorded, 8'589'936'651U);
}

// As the recorder's marks, one level up: a series' marks are taken before its cells are read. One count a round, so
// that one taken in too late shows.
TEST(Ledger, LeavesNoCountBehindWhileAThreadRecords) {
  Books books;
  books.recorder.failed(url);
  std::atomic<int> started{0};
  std::atomic<int> done{0};
  constexpr int rounds = 5'000;
  std::thread writer{[&] {
    for (int round = 1; round <= rounds; ++round) {
      while (started.load(std::memory_order_acquire) < round) continue;
      books.recorder.failed(url);
      done.store(round, std::memory_order_release);
    }
  }};
  int missed = 0;
  for (int round = 1; round <= rounds; ++round) {
    started.store(round, std::memory_order_release);
    while (done.load(std::memory_order_acquire) < round) books.fold();
    books.fold();
    if (books.ledger.recorded(a) != static_cast<std::uint64_t>(round) + 1) ++missed;
  }
  writer.join();
  EXPECT_EQ(missed, 0);
}

TEST(Ledger, HasTakenInEverythingOnceTheThreadsHaveEnded) {
  Books books{10};
  constexpr int threads = 4;
  constexpr int calls = 10'000;
  std::atomic<int> running{threads};
  std::vector<std::thread> recorders;
  for (int thread = 0; thread < threads; ++thread) {
    recorders.emplace_back([&, thread] {
      for (int call = 0; call < calls; ++call) {
        const std::string host = "https://hook" + std::to_string((call + thread) % 13) + "/";
        books.recorder.success(host, std::chrono::milliseconds{call % 5000});
        books.recorder.failed(host);
      }
      --running;
    });
  }
  while (running > 0) {
    books.fold();
    (void)books.recorder.write_ahead();
  }
  for (std::thread& recorder : recorders) recorder.join();
  books.fold();

  EXPECT_EQ(books.ledger.series_count(), 12U);
  EXPECT_EQ(books.ledger.recorded(delivery::invalid_endpoint), 0U);
  EXPECT_EQ(books.ledger.totals().recorded, 80'000U);
  EXPECT_EQ(books.ledger.totals().timings_recorded, 40'000U);
  std::uint64_t owed = 0;
  for (std::uint32_t series = 0; series < 12; ++series) {
    for (const std::uint32_t cell : books.owed_cells(series)) owed += books.ledger.owed(series, cell);
  }
  EXPECT_EQ(owed, 40'000U);
}

}  // namespace
}  // namespace event_metrics::ledger
