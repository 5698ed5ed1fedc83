// Longer than 400 lines: what find() and the guesses say of a table is asked of the same tables by the same helpers.

#include "delivery/endpoint_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "record/cells.hpp"

namespace event_metrics::delivery {
namespace {

/// A table as a client lays it out: the head on line 0, the table from line 1.
class Endpoints {
 public:
  explicit Endpoints(std::uint32_t capacity, std::uint32_t spare_lines = 4096)
      : arena{64U << 20U}, table{arena, 1, capacity} {
    const std::uint32_t lines = EndpointTable::lines(capacity);
    arena.write_ahead(lines + spare_lines, 1'000'000);
    EXPECT_EQ(arena.take(lines), 1U);
    key(42);
  }
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  /// Any words will do, as long as they are the same ones for as long as the table lives.
  void key(std::uint32_t seed) {
    std::minstd_rand random{seed};
    for (std::uint32_t& word : arena.at<record::Head>(0).seed.word) word = static_cast<std::uint32_t>(random());
  }

  record::Arena arena;
  EndpointTable table;
};

HostLabel label(std::string_view text) {
  HostLabel label;
  std::ranges::copy(text, label.bytes.begin() + HostLabel::scheme_bytes);
  label.size = static_cast<std::uint16_t>(text.size());
  label.put_scheme();
  return label;
}

/// The endpoint that is spelled like this, 0 when none is known to be.
std::uint32_t index_of(const EndpointTable& table, std::string_view spelling) {
  const std::uint32_t known = table.find(spelling);
  return known == 0 ? 0 : table.endpoint(known);
}

std::string host(std::uint32_t number) { return "hook" + std::to_string(number) + ".example.com"; }

TEST(EndpointTable, DoesNotFindWhatWasNeverInserted) {
  const Endpoints endpoints{4};
  EXPECT_EQ(endpoints.table.size(), 0U);
  EXPECT_EQ(index_of(endpoints.table, "https://example.com"), 0U);
}

TEST(EndpointTable, NumbersEndpointsFromTwoInTheOrderOfInsertion) {
  Endpoints endpoints{4};
  EXPECT_EQ(endpoints.table.insert(label("a.example.com")), 2U);
  EXPECT_EQ(endpoints.table.insert(label("b.example.com")), 3U);
  EXPECT_EQ(index_of(endpoints.table, "https://a.example.com"), 2U);
  EXPECT_EQ(index_of(endpoints.table, "https://b.example.com"), 3U);
  EXPECT_EQ(index_of(endpoints.table, "https://c.example.com"), 0U);
  EXPECT_EQ(endpoints.table.size(), 2U);
  EXPECT_EQ(endpoints.table.at(2), "a.example.com");
  EXPECT_EQ(endpoints.table.at(3), "b.example.com");
}

// Their default ports differ, so host:443 under one of them is not the same endpoint under the other.
TEST(EndpointTable, TellsSchemesApart) {
  Endpoints endpoints{4};
  const std::uint32_t without = endpoints.table.insert(label("host"));
  const std::uint32_t with = endpoints.table.insert(label("host:443"));
  EXPECT_EQ(index_of(endpoints.table, "https://host"), without);
  EXPECT_EQ(index_of(endpoints.table, "http://host"), 0U);
  EXPECT_EQ(index_of(endpoints.table, "http://host:443"), with);
  EXPECT_EQ(index_of(endpoints.table, "https://host:443"), 0U);
  endpoints.table.remember("https://host:443", without);
  EXPECT_EQ(index_of(endpoints.table, "https://host:443"), without);
  EXPECT_EQ(endpoints.table.size(), 2U);
}

// Of one host's many spellings none takes the room of another host's.
TEST(EndpointTable, RemembersOneMoreSpellingOfEachEndpoint) {
  Endpoints endpoints{3};
  for (const std::string name : {"a", "b", "c"}) {
    const std::uint32_t index = endpoints.table.insert(label(name));
    endpoints.table.remember("https://" + name, index);  // the label's, which is known
    for (int i = 0; i < 8; ++i) {
      const std::string written = "https://" + name + ":" + std::to_string(i);
      endpoints.table.remember(written, index);
      ASSERT_EQ(index_of(endpoints.table, written), i == 0 ? index : 0U);
    }
    ASSERT_EQ(index_of(endpoints.table, "https://" + name), index);
  }
  EXPECT_EQ(endpoints.table.insert(label("d")), 0U);
}

TEST(EndpointTable, RemembersNoSpellingThatIsLongOrShorterThanAWord) {
  Endpoints endpoints{4};
  const std::uint32_t a = endpoints.table.insert(label("a"));
  const std::string longest = "HTTPS://" + std::string(31, 'A');
  for (const std::string& spelling : {longest + 'A', std::string{"ws://ab"}, std::string{}}) {
    endpoints.table.remember(spelling, a);
    EXPECT_EQ(index_of(endpoints.table, spelling), 0U);
  }
  endpoints.table.remember(longest, a);
  EXPECT_EQ(index_of(endpoints.table, longest), a);
}

// Without a lock, and while endpoints are inserted under one.
TEST(EndpointTable, RemembersWhatThreadsSpellAtOnce) {
  constexpr std::uint32_t count = 3000;
  Endpoints endpoints{2 * count};
  const auto written = [](int thread, std::uint32_t i) { return "https://" + host(i) + ":" + std::to_string(thread); };
  for (std::uint32_t i = 0; i < count; ++i) endpoints.table.insert(label(host(i)));
  std::latch begin{3};
  const auto remember = [&](int thread) {
    begin.arrive_and_wait();
    for (std::uint32_t i = 0; i < count; ++i) endpoints.table.remember(written(thread, i), i + 2);
  };
  std::thread first{remember, 1};
  std::thread second{remember, 2};
  begin.arrive_and_wait();
  for (std::uint32_t i = count; i < 2 * count; ++i) ASSERT_EQ(endpoints.table.insert(label(host(i))), i + 2);
  first.join();
  second.join();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t one = index_of(endpoints.table, written(1, i));
    const std::uint32_t other = index_of(endpoints.table, written(2, i));
    ASSERT_TRUE((one == i + 2 && other == 0) || (one == 0 && other == i + 2)) << one << ' ' << other;
  }
  for (std::uint32_t i = 0; i < 2 * count; ++i) ASSERT_EQ(index_of(endpoints.table, "https://" + host(i)), i + 2);
}

TEST(EndpointTable, ComparesWholeKeys) {
  Endpoints endpoints{8};
  EXPECT_EQ(endpoints.table.insert(label("example.com")), 2U);
  EXPECT_EQ(index_of(endpoints.table, "https://example.co"), 0U);
  EXPECT_EQ(index_of(endpoints.table, "https://example.com:80"), 0U);
  EXPECT_EQ(index_of(endpoints.table, "https://Example.com"), 0U);
  EXPECT_EQ(index_of(endpoints.table, std::string_view{"https://example.com\0", 20}), 0U);
}

// Under a seed that makes nothing of the second word where the first one is "aaaa".
TEST(EndpointTable, ComparesWholeKeysWhereHashesAreEqual) {
  Endpoints endpoints{8};
  record::Seed& seed = endpoints.arena.at<record::Head>(0).seed;
  seed.word[0] = 0U - 0x61616161U;
  const std::string one = "https://aaaabbbb.the-same.example";
  const std::string other = "https://aaaacccc.the-same.example";
  ASSERT_EQ(hash_of(one, seed), hash_of(other, seed));
  EXPECT_EQ(endpoints.table.insert(label("aaaabbbb.the-same.example")), 2U);
  EXPECT_EQ(index_of(endpoints.table, other), 0U);
  EXPECT_EQ(endpoints.table.insert(label("aaaacccc.the-same.example")), 3U);
  EXPECT_EQ(index_of(endpoints.table, one), 2U);
  EXPECT_EQ(index_of(endpoints.table, other), 3U);
}

TEST(EndpointTable, KeepsKeysOfEveryLength) {
  Endpoints endpoints{300};
  for (std::uint32_t length = 1; length <= longest_label; ++length) {
    ASSERT_EQ(endpoints.table.insert(label(std::string(length, 'h'))), length + 1);
  }
  for (std::uint32_t length = 1; length <= longest_label; ++length) {
    const std::string key(length, 'h');
    ASSERT_EQ(index_of(endpoints.table, "https://" + key), length + 1);
    ASSERT_EQ(endpoints.table.at(length + 1), key);
  }
}

TEST(EndpointTable, TellsLongKeysApartByTheirLastByte) {
  Endpoints endpoints{8};
  const std::string common(260, 'h');
  EXPECT_EQ(endpoints.table.insert(label(common + 'a')), 2U);
  EXPECT_EQ(index_of(endpoints.table, "https://" + common + 'b'), 0U);
  EXPECT_EQ(endpoints.table.insert(label(common + 'b')), 3U);
  EXPECT_EQ(index_of(endpoints.table, "https://" + common + 'a'), 2U);
}

TEST(EndpointTable, TakesItsCapacityAndNoMore) {
  Endpoints endpoints{100};
  for (std::uint32_t i = 0; i < 100; ++i) {
    ASSERT_FALSE(endpoints.table.is_full());
    ASSERT_EQ(endpoints.table.insert(label(host(i))), i + 2);
  }
  EXPECT_TRUE(endpoints.table.is_full());
  EXPECT_EQ(endpoints.table.insert(label("more")), 0U);
  EXPECT_EQ(endpoints.table.size(), 100U);
  EXPECT_EQ(index_of(endpoints.table, "https://more"), 0U);  // and the search for what is not there ends
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(index_of(endpoints.table, "https://" + host(i)), i + 2);
}

TEST(EndpointTable, TellsAsManyApartAsAClientMayHave) {
  constexpr std::uint32_t count = 100'000;
  Endpoints endpoints{count};
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(endpoints.table.insert(label(host(i))), i + 2);
  const auto second = [](std::uint32_t i) { return "https://" + host(i) + ":443"; };
  for (std::uint32_t i = 0; i < count; ++i) endpoints.table.remember(second(i), i + 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    ASSERT_EQ(index_of(endpoints.table, "https://" + host(i)), i + 2);
    ASSERT_EQ(index_of(endpoints.table, second(i)), i + 2);
  }
}

TEST(EndpointTable, HasRoomForTheLongestKeysWhateverElseTakesMemory) {
  Endpoints endpoints{8, 0};
  while (endpoints.arena.take(1) != 0) continue;
  const auto text = [](std::uint32_t i) { return std::string(longest_label - 1, 'h') + std::to_string(i); };
  for (std::uint32_t i = 0; i < 8; ++i) ASSERT_EQ(endpoints.table.insert(label(text(i))), i + 2);
  for (std::uint32_t i = 0; i < 8; ++i) {
    ASSERT_EQ(index_of(endpoints.table, "https://" + text(i)), i + 2);
    ASSERT_EQ(endpoints.table.at(i + 2), text(i));
  }
  EXPECT_EQ(endpoints.table.insert(label(text(8))), 0U);
}

TEST(EndpointTable, SpreadsKeysDifferentlyUnderAnotherSeed) {
  const auto numbers = [](std::uint32_t seed) {
    Endpoints endpoints{64};
    endpoints.key(seed);
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < 64; ++i) {
      endpoints.table.insert(label(host(i)));
      found.push_back(endpoints.table.find("https://" + host(i)));
    }
    return found;
  };
  EXPECT_EQ(numbers(1), numbers(1));
  EXPECT_NE(numbers(1), numbers(2));
}

const std::string path(40, 'p');

std::uint32_t word_if_wide(const EndpointTable& table, std::uint32_t guess, std::string_view url) {
  return table.word_if_wide(table.slot(guess), url.data());
}

std::uint32_t word_if(const EndpointTable& table, std::uint32_t guess, std::string_view url, std::size_t begin = 8) {
  return table.word_if(table.slot(guess), url, begin);
}

TEST(EndpointTable, BelievesAGuessOnlyWhereAllOfTheSpellingAgrees) {
  Endpoints endpoints{100};
  EXPECT_EQ(word_if_wide(endpoints.table, 0, "https://a.example/" + path), 0U);  // the guess of who has none yet
  EXPECT_EQ(word_if(endpoints.table, 0, "https://a.example/" + path), 0U);
  EXPECT_EQ(word_if_wide(endpoints.table, 0, std::string(40, '\0')), 0U);
  for (std::uint32_t length = 1; length <= 31; ++length) {
    const std::string spelling = "https://" + std::string(length, 'h');
    const std::uint32_t index = endpoints.table.insert(label(std::string(length, 'h')));
    const std::uint32_t guess = endpoints.table.find(spelling);
    ASSERT_EQ(word_if(endpoints.table, guess, spelling), 0U);  // nothing stands behind it
    for (const std::string behind : {"/", "?", "/q", "//"}) {
      ASSERT_EQ(word_if_wide(endpoints.table, guess, spelling + behind + path), record::word_of(index, 0));
      ASSERT_EQ(word_if(endpoints.table, guess, spelling + behind), record::word_of(index, 0));
    }
    for (std::uint32_t at = 0; at <= 8 + length; ++at) {  // from the scheme to what stands behind the host
      for (const char byte : {'x', '@', ':', '#', '\0'}) {
        std::string other = spelling + "/" + path;
        if (other[at] == byte) continue;
        other[at] = byte;
        ASSERT_EQ(word_if_wide(endpoints.table, guess, other), 0U) << length << ' ' << at;
        ASSERT_EQ(word_if(endpoints.table, guess, other.substr(0, 9 + length)), 0U) << length << ' ' << at;
      }
    }
  }
}

TEST(EndpointTable, BelievesAGuessOfEitherScheme) {
  Endpoints endpoints{4};
  const std::uint32_t index = endpoints.table.insert(label("a.example"));
  endpoints.table.remember("http://a.example:80", index);
  for (const std::string spelling : {"https://a.example", "http://a.example:80"}) {
    const std::uint32_t guess = endpoints.table.find(spelling);
    EXPECT_EQ(word_if_wide(endpoints.table, guess, spelling + "/" + path), record::word_of(index, 0));
  }
}

TEST(EndpointTable, BelievesAGuessOfALongSpellingOnlyWhereAllOfItAgrees) {
  Endpoints endpoints{300};
  for (std::uint32_t length = 32; length <= longest_label; ++length) {
    const std::string spelling = "https://" + std::string(length, 'h');
    const std::uint32_t index = endpoints.table.insert(label(std::string(length, 'h')));
    const std::uint32_t guess = endpoints.table.find(spelling);
    ASSERT_EQ(word_if_wide(endpoints.table, guess, spelling + "/"), 0U);
    ASSERT_EQ(word_if_wide(endpoints.table, guess, std::string(300, '\0')), 0U);
    ASSERT_EQ(word_if(endpoints.table, guess, spelling + "/"), record::word_of(index, 0));
    ASSERT_EQ(word_if(endpoints.table, guess, spelling + "?q"), record::word_of(index, 0));
    ASSERT_EQ(word_if(endpoints.table, guess, spelling), 0U);  // nothing stands behind it
    for (std::uint32_t at = 0; at <= 8 + length; ++at) {
      std::string other = spelling + "/" + path;
      other[at] = '@';
      ASSERT_EQ(word_if(endpoints.table, guess, other), 0U) << length << ' ' << at;
    }
  }
}

// What stands between the first 8 bytes and the host is left to whoever asks.
TEST(EndpointTable, BelievesAGuessOfAHostBehindUserInfoOnlyWhereAllOfItAgrees) {
  Endpoints endpoints{300};
  const std::string scheme = "https://";
  const std::string user = "user:pw@";
  for (std::uint32_t length = 1; length <= 100; ++length) {
    const std::string host = std::string(length, 'h');
    const std::uint32_t index = endpoints.table.insert(label(host));
    const std::uint32_t guess = endpoints.table.find(scheme + host);
    const std::size_t begin = scheme.size() + user.size();
    ASSERT_EQ(word_if(endpoints.table, guess, scheme + user + host, begin), 0U);  // nothing stands behind it
    for (const std::string behind : {"/", "?q"}) {
      ASSERT_EQ(word_if(endpoints.table, guess, scheme + user + host + behind, begin), record::word_of(index, 0));
    }
    for (std::size_t at = 0; at <= begin + length; ++at) {
      if (at >= scheme.size() && at < begin) continue;
      std::string other = scheme + user + host + "/";
      other[at] = '@';
      ASSERT_EQ(word_if(endpoints.table, guess, other, begin), 0U) << length << ' ' << at;
    }
  }
}

// Readers take no lock. What find() or size() shows them must be there in full, which ThreadSanitizer checks too.
TEST(EndpointTable, ShowsReadersOnlyWholeEndpointsWhileOneInserts) {
  constexpr std::uint32_t count = 2000;
  Endpoints endpoints{count, 8000};
  const auto name = [](std::uint32_t i) {
    return i % 2 == 0 ? host(i) : host(i) + std::string(100, 'x');  // in the slot, and in lines of its own
  };
  std::atomic<std::uint32_t> wrong{0};
  std::atomic<bool> failed{false};
  const auto read = [&] {
    std::uint32_t next = 0;
    while (next < count && !failed) {
      const std::uint32_t size = endpoints.table.size();
      for (; next < size; ++next) {
        const std::string key = name(next);
        if (endpoints.table.at(next + 2) != key) ++wrong;
        const std::uint32_t found = index_of(endpoints.table, "https://" + key);
        if (found != 0 && found != next + 2) ++wrong;  // the last one may be counted and not be found yet
      }
      // What is counted for an endpoint that was found has to be looked at in the next fold.
      const std::uint32_t index = index_of(endpoints.table, "https://" + name(next));
      if (index != 0 && (index != next + 2 || endpoints.table.size() <= next)) ++wrong;
    }
  };
  std::thread first{read};
  std::thread second{read};
  for (std::uint32_t i = 0; i < count && !failed; ++i) {
    failed = endpoints.table.insert(label(name(i))) != i + 2;
  }
  first.join();
  second.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(wrong, 0U);
}

// What is counted for an endpoint that was found has to be looked at in the next fold. The reader waits for each key.
TEST(EndpointTable, HasCountedWhatIsFound) {
  constexpr std::uint32_t count = 5000;
  Endpoints endpoints{count};
  std::atomic<std::uint32_t> awaited{0};
  std::uint32_t wrong = 0;
  std::thread reader{[&] {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string key = host(i);
      awaited = i + 1;
      while (index_of(endpoints.table, "https://" + key) == 0) continue;
      if (endpoints.table.size() <= i) ++wrong;
    }
  }};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string key = host(i);
    while (awaited <= i) continue;
    (void)endpoints.table.insert(label(key));
  }
  reader.join();
  EXPECT_EQ(wrong, 0U);
}

// Who asks first whether the table is full, and does not find a key then, may count it as `other` without a lock.
TEST(EndpointTable, IsFullOnlyOnceEveryKeyIsFound) {
  constexpr std::size_t rounds = 500;
  std::vector<std::unique_ptr<Endpoints>> tables;
  for (std::size_t i = 0; i < rounds; ++i) tables.push_back(std::make_unique<Endpoints>(1, 0));
  std::atomic<std::size_t> awaited{0};
  std::uint32_t wrong = 0;
  std::thread reader{[&] {
    for (std::size_t i = 0; i < rounds; ++i) {
      awaited = i + 1;
      while (!tables[i]->table.is_full()) continue;
      if (index_of(tables[i]->table, "https://last") == 0) ++wrong;
    }
  }};
  for (std::size_t i = 0; i < rounds; ++i) {
    while (awaited <= i) continue;
    (void)tables[i]->table.insert(label("last"));
  }
  reader.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace event_metrics::delivery
