#include "client/provisional.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t quoted = 8;
const Provisional::Clock::time_point start{1h};

std::vector<ledger::Share> share(std::uint64_t count) { return {{0, 0, count}}; }

TEST(Provisional, TakesOutTheDatagramThatTheQuoteNames) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaaaaaa1", quoted, share(1), start);
  provisional.keep("bbbbbbbb2", quoted, share(2), start);
  const Provisional::Sent* const sent = provisional.take("bbbbbbbb", start);
  ASSERT_NE(sent, nullptr);
  EXPECT_EQ(sent->shares.front().count, 2u);
  EXPECT_EQ(sent->size, 9u);
  EXPECT_EQ(provisional.take("bbbbbbbb", start), nullptr);
  EXPECT_NE(provisional.take("aaaaaaaa", start), nullptr);
}

TEST(Provisional, NamesByABeginningTheOldestThatHasNotSettledIfNoneIsEqual) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaa1111", quoted, share(1), start);
  provisional.keep("aaaa2222", quoted, share(2), start + 2ms);
  provisional.keep("bbbb3333", quoted, share(3), start + 2ms);
  provisional.keep("aaaa4444", quoted, share(4), start + 2ms);
  provisional.keep("aaaa", quoted, share(5), start + 2ms);
  EXPECT_EQ(provisional.take("aaaaa", start + 3ms), nullptr);
  EXPECT_EQ(provisional.take("aaaa", start + 3ms)->shares.front().count, 5u);
  EXPECT_EQ(provisional.take("aaaa", start + 3ms)->shares.front().count, 2u);
  EXPECT_EQ(provisional.take("aaaa", start + 4ms)->shares.front().count, 4u);  // the youngest where all have settled
  EXPECT_EQ(provisional.take("aaaa", start + 4ms)->shares.front().count, 1u);
  EXPECT_EQ(provisional.take("aaaa", start + 4ms), nullptr);
}

TEST(Provisional, NamesTheOldestThatHasNotSettledByAnEmptyQuote) {
  Provisional provisional{quoted, 1};
  provisional.keep("a", quoted, share(1), start);
  provisional.keep("b", quoted, share(2), start + 2ms);
  provisional.keep("c", quoted, share(3), start + 2ms);
  EXPECT_EQ(provisional.take("", start + 2ms)->shares.front().count, 2u);
  EXPECT_EQ(provisional.take("", start + 2ms)->shares.front().count, 3u);
}

TEST(Provisional, ComparesNoMoreThanIsQuotedByNow) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaa1111", quoted, share(1), start);
  EXPECT_FALSE(provisional.ambiguous("aaaa2222", quoted, start));
  EXPECT_TRUE(provisional.ambiguous("aaaa2222", 4, start));
  EXPECT_FALSE(provisional.ambiguous("bbbb2222", 4, start));
  EXPECT_TRUE(provisional.ambiguous("bbbb2222", 0, start));
  EXPECT_FALSE(provisional.ambiguous("bbbb2222", 0, start + 2ms));
  provisional.keep("aaaa2222", 4, share(2), start + 2ms);
  EXPECT_EQ(provisional.take("aaaa", start + 2ms)->shares.front().count, 2u);
  EXPECT_EQ(provisional.take("aaaa", start + 2ms), nullptr);
}

TEST(Provisional, TakesTheOldestOfEqualDatagramsFirst) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaa", quoted, share(1), start);
  provisional.keep("aaaa", quoted, share(2), start + 1ms);
  EXPECT_EQ(provisional.take("aaaa", start)->shares.front().count, 1u);
  EXPECT_EQ(provisional.take("aaaa", start)->shares.front().count, 2u);
  EXPECT_EQ(provisional.take("aaaa", start), nullptr);
}

TEST(Provisional, IsAmbiguousWhereQuotesWouldBeEqualAndTailsMayDiffer) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaaaaaa1", quoted, share(1), start);
  EXPECT_TRUE(provisional.ambiguous("aaaaaaaa2", quoted, start));
  EXPECT_TRUE(provisional.ambiguous("aaaaaaaa", quoted, start));  // a quote never tells the length
  EXPECT_FALSE(provisional.ambiguous("aaaaaaa", quoted, start));
  EXPECT_FALSE(provisional.ambiguous("baaaaaaa1", quoted, start));
}

TEST(Provisional, IsNotAmbiguousWhenShortDatagramsAreEqual) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaa", quoted, share(1), start);
  EXPECT_FALSE(provisional.ambiguous("aaaa", quoted, start));
}

TEST(Provisional, SettlesTwoMillisecondsAfterSending) {
  Provisional provisional{quoted, 1};
  EXPECT_LE(provisional.settled_at(), start);
  provisional.keep("aaaaaaaa1", quoted, share(1), start);
  provisional.keep("b", quoted, share(1), start + 1ms);
  EXPECT_EQ(provisional.settled_at(), start + 3ms);
  EXPECT_TRUE(provisional.ambiguous("aaaaaaaa2", quoted, start + 1999us));
  EXPECT_FALSE(provisional.ambiguous("aaaaaaaa2", quoted, start + 2ms));
}

TEST(Provisional, TakesOutWhatHasSettledLongAgo) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaa", quoted, share(7), start);
  provisional.keep("bbbb", quoted, share(1), start + 1h);
  const Provisional::Sent* const sent = provisional.take("aaaa", start);
  ASSERT_NE(sent, nullptr);
  EXPECT_EQ(sent->shares.front().count, 7u);
}

TEST(Provisional, ForgetsWhatHasSettledForOneThatBeginsAlike) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaaaaaa1", quoted, share(1), start);
  provisional.keep("aaaaaaaa2", quoted, share(2), start + 2ms);
  EXPECT_EQ(provisional.take("aaaaaaaa", start)->shares.front().count, 2u);
  EXPECT_EQ(provisional.take("aaaaaaaa", start), nullptr);
}

TEST(Provisional, IsFullAtItsCapacityUntilTheOldestHasSettled) {
  Provisional provisional{quoted, 1};
  for (std::size_t i = 0; i < Provisional::capacity; ++i) {
    EXPECT_FALSE(provisional.full(start));
    provisional.keep(std::to_string(i), quoted, share(i), start);
  }
  EXPECT_TRUE(provisional.full(start + 1999us));
  EXPECT_FALSE(provisional.full(start + 2ms));
  provisional.keep("new", quoted, share(1), start + 2ms);
  EXPECT_EQ(provisional.take("0", start), nullptr);
  EXPECT_EQ(provisional.take("17", start)->shares.front().count, 17u);
  EXPECT_FALSE(provisional.full(start));
}

TEST(Provisional, ForgetsAllWithItsSocket) {
  Provisional provisional{quoted, 1};
  provisional.keep("aaaa", quoted, share(1), start);
  provisional.forget();
  EXPECT_EQ(provisional.take("aaaa", start), nullptr);
  EXPECT_LE(provisional.settled_at(), start);
}

}  // namespace
}  // namespace event_metrics
