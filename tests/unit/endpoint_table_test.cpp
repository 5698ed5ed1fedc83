#include "record/endpoint_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "record/cells.hpp"

namespace event_metrics::record {
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
    for (std::uint32_t& word : arena.at<Head>(0).hash_key.word) word = static_cast<std::uint32_t>(random());
  }

  Arena arena;
  EndpointTable table;
};

/// The index of a URL's key in the form in which a call looks it up.
std::uint32_t index_of(const EndpointTable& table, const std::string& url) {
  BlockKey key;
  return likely_block_key(url, key) ? table.find(key) : 0;
}

std::string host(std::uint32_t number) { return "hook" + std::to_string(number) + ".example.com"; }

TEST(EndpointTable, DoesNotFindWhatWasNeverInserted) {
  const Endpoints endpoints{4};
  EXPECT_EQ(endpoints.table.size(), 0U);
  EXPECT_EQ(endpoints.table.find({"example.com", Scheme::https}), 0U);
}

TEST(EndpointTable, NumbersEndpointsFromTwoInTheOrderOfInsertion) {
  Endpoints endpoints{4};
  EXPECT_EQ(endpoints.table.insert({"a.example.com", Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.insert({"b.example.com", Scheme::https}), 3U);
  EXPECT_EQ(endpoints.table.find({"a.example.com", Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.find({"b.example.com", Scheme::https}), 3U);
  EXPECT_EQ(endpoints.table.find({"c.example.com", Scheme::https}), 0U);
  EXPECT_EQ(endpoints.table.size(), 2U);
  EXPECT_EQ(endpoints.table.at(2).authority, "a.example.com");
  EXPECT_EQ(endpoints.table.at(3).authority, "b.example.com");
}

// Their default ports differ, so host:443 under one of them is not the same endpoint under the other.
TEST(EndpointTable, TellsSchemesApart) {
  Endpoints endpoints{4};
  EXPECT_EQ(endpoints.table.insert({"host:443", Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.find({"host:443", Scheme::http}), 0U);
  EXPECT_EQ(endpoints.table.insert({"host:443", Scheme::http}), 3U);
  EXPECT_EQ(endpoints.table.insert({"host:443", Scheme::other}), 4U);
  EXPECT_EQ(endpoints.table.find({"host:443", Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.find({"host:443", Scheme::http}), 3U);
  EXPECT_EQ(endpoints.table.find({"host:443", Scheme::other}), 4U);
  EXPECT_EQ(endpoints.table.at(3).scheme, Scheme::http);
  EXPECT_EQ(endpoints.table.at(4).scheme, Scheme::other);
}

TEST(EndpointTable, ComparesWholeKeys) {
  Endpoints endpoints{8};
  EXPECT_EQ(endpoints.table.insert({"example.com", Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.find({"example.co", Scheme::https}), 0U);
  EXPECT_EQ(endpoints.table.find({"example.com:80", Scheme::https}), 0U);
  EXPECT_EQ(endpoints.table.find({"Example.com", Scheme::https}), 0U);
  EXPECT_EQ(endpoints.table.find({std::string_view{"example.com\0", 12}, Scheme::https}), 0U);
}

// Under a hash key that makes nothing of the second word where the first one is "aaaa".
TEST(EndpointTable, ComparesWholeKeysWhereHashesAreEqual) {
  Endpoints endpoints{8};
  HashKey& key = endpoints.arena.at<Head>(0).hash_key;
  key.word[0] = 0U - 0x61616161U;
  const std::string path(40, 'p');
  ASSERT_EQ(KeyBlock::load("aaaabbbb.example", 16).hash(key), KeyBlock::load("aaaacccc.example", 16).hash(key));
  EXPECT_EQ(endpoints.table.insert({"aaaabbbb.example", Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.find({"aaaacccc.example", Scheme::https}), 0U);
  EXPECT_EQ(index_of(endpoints.table, "https://aaaacccc.example/" + path), 0U);
  EXPECT_EQ(endpoints.table.insert({"aaaacccc.example", Scheme::https}), 3U);
  EXPECT_EQ(index_of(endpoints.table, "https://aaaabbbb.example/" + path), 2U);
  EXPECT_EQ(index_of(endpoints.table, "https://aaaacccc.example/" + path), 3U);
}

TEST(EndpointTable, KeepsKeysOfEveryLength) {
  Endpoints endpoints{300};
  for (std::uint32_t length = 1; length <= longest_authority; ++length) {
    ASSERT_EQ(endpoints.table.insert({std::string(length, 'h'), Scheme::https}), length + 1);
  }
  for (std::uint32_t length = 1; length <= longest_authority; ++length) {
    const std::string key(length, 'h');
    ASSERT_EQ(endpoints.table.find({key, Scheme::https}), length + 1);
    ASSERT_EQ(endpoints.table.at(length + 1).authority, key);
  }
}

TEST(EndpointTable, TellsLongKeysApartByTheirLastByte) {
  Endpoints endpoints{8};
  const std::string common(260, 'h');
  EXPECT_EQ(endpoints.table.insert({common + 'a', Scheme::https}), 2U);
  EXPECT_EQ(endpoints.table.find({common + 'b', Scheme::https}), 0U);
  EXPECT_EQ(endpoints.table.insert({common + 'b', Scheme::https}), 3U);
  EXPECT_EQ(endpoints.table.find({common + 'a', Scheme::https}), 2U);
}

TEST(EndpointTable, TakesItsCapacityAndNoMore) {
  Endpoints endpoints{100};
  for (std::uint32_t i = 0; i < 100; ++i) {
    ASSERT_FALSE(endpoints.table.is_full());
    ASSERT_EQ(endpoints.table.insert({host(i), Scheme::https}), i + 2);
  }
  EXPECT_TRUE(endpoints.table.is_full());
  EXPECT_EQ(endpoints.table.insert({"more", Scheme::https}), 0U);
  EXPECT_EQ(endpoints.table.size(), 100U);
  EXPECT_EQ(endpoints.table.find({"more", Scheme::https}), 0U);  // and the search for what is not there ends
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_EQ(endpoints.table.find({host(i), Scheme::https}), i + 2);
}

TEST(EndpointTable, TellsAsManyApartAsAClientMayHave) {
  constexpr std::uint32_t count = 100'000;
  Endpoints endpoints{count};
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(endpoints.table.insert({host(i), Scheme::https}), i + 2);
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(endpoints.table.find({host(i), Scheme::https}), i + 2);
}

TEST(EndpointTable, HasRoomForTheLongestKeysWhateverElseTakesMemory) {
  Endpoints endpoints{8, 0};
  while (endpoints.arena.take(1) != 0) continue;
  const auto text = [](std::uint32_t i) { return std::string(longest_authority - 1, 'h') + std::to_string(i); };
  for (std::uint32_t i = 0; i < 8; ++i) ASSERT_EQ(endpoints.table.insert({text(i), Scheme::https}), i + 2);
  for (std::uint32_t i = 0; i < 8; ++i) {
    ASSERT_EQ(endpoints.table.find({text(i), Scheme::https}), i + 2);
    ASSERT_EQ(endpoints.table.at(i + 2).authority, text(i));
  }
  EXPECT_EQ(endpoints.table.insert({text(8), Scheme::https}), 0U);
}

TEST(EndpointTable, SpreadsKeysDifferentlyUnderAnotherHashKey) {
  // Where a key is found can be seen only through the memory: by hash, behind the slots.
  const auto places_used = [](std::uint32_t seed) {
    Endpoints endpoints{64};
    endpoints.key(seed);
    for (std::uint32_t i = 0; i < 64; ++i) endpoints.table.insert({host(i), Scheme::https});
    const std::uint32_t* const places = &endpoints.arena.at<std::uint32_t>(1 + first_endpoint + 64);
    std::vector<std::uint32_t> indices;
    for (std::uint32_t i = 0; i < 256; ++i) indices.push_back(places[i] & most_endpoints);
    return indices;
  };
  EXPECT_EQ(places_used(1), places_used(1));
  EXPECT_NE(places_used(1), places_used(2));
}

TEST(EndpointTable, FindsShortKeysAsCallsLookThemUp) {
  Endpoints endpoints{100};
  const std::string path(40, 'p');
  for (std::uint32_t length = 1; length < block_bytes; ++length) {
    const std::string name(length, 'h');
    ASSERT_EQ(index_of(endpoints.table, "https://" + name + "/" + path), 0U) << length;
    const std::uint32_t secure = endpoints.table.insert({name, Scheme::https});
    const std::uint32_t plain = endpoints.table.insert({name, Scheme::http});
    ASSERT_EQ(index_of(endpoints.table, "https://" + name + "/" + path), secure) << length;
    ASSERT_EQ(index_of(endpoints.table, "http://" + name + "/" + path), plain) << length;
  }
  EXPECT_NE(endpoints.table.insert({std::string(32, 'h'), Scheme::https}), 0U);
  EXPECT_EQ(index_of(endpoints.table, "https://" + std::string(32, 'h') + "/" + path), 0U);
}

TEST(EndpointTable, BelievesNoGuessOfALongKeyOrAnotherScheme) {
  Endpoints endpoints{8};
  const std::string path(40, 'p');
  const std::string long_name(40, 'h');
  const std::uint32_t plain = endpoints.table.insert({"a.example", Scheme::http});
  const std::uint32_t other = endpoints.table.insert({"a.example", Scheme::other});
  const std::uint32_t long_key = endpoints.table.insert({long_name, Scheme::https});
  for (const std::uint32_t guess : {plain, other, long_key}) {
    EXPECT_EQ(endpoints.table.entry_if(guess, ("https://a.example/" + path).data()), 0U);
    EXPECT_EQ(endpoints.table.entry_if(guess, ("http://a.example/" + path).data()), 0U);
    EXPECT_EQ(endpoints.table.entry_if(guess, ("https://" + long_name + "/" + path).data()), 0U);
  }
}

TEST(EndpointTable, BelievesAGuessOnlyWhereAllOfTheKeyAgrees) {
  Endpoints endpoints{100};
  const std::string path(40, 'p');
  EXPECT_EQ(endpoints.table.entry_if(0, ("https://a.example/" + path).data()), 0U);  // the guess of who has none yet
  EXPECT_EQ(endpoints.table.entry_if(0, std::string(40, '\0').data()), 0U);
  for (std::uint32_t length = 1; length < block_bytes; ++length) {
    const std::string name(length, 'h');
    const std::uint32_t index = endpoints.table.insert({name, Scheme::https});
    ASSERT_EQ(endpoints.table.entry_if(index, ("https://" + name + "/" + path).data()), entry_of(index, 0));
    ASSERT_EQ(endpoints.table.entry_if(index, ("https://" + name + "/q" + path).data()), entry_of(index, 0));
    for (std::uint32_t at = 0; at <= 8 + length; ++at) {  // from the scheme to the slash behind the host
      std::string other = "https://" + name + "/" + path;
      other[at] = 'x';
      ASSERT_EQ(endpoints.table.entry_if(index, other.data()), 0U) << length << ' ' << at;
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
        if (endpoints.table.at(next + 2).authority != key) ++wrong;
        const std::uint32_t found = endpoints.table.find({key, Scheme::https});
        if (found != 0 && found != next + 2) ++wrong;  // the last one may be counted and not be found yet
      }
      // What is counted for an endpoint that was found has to be looked at in the next fold.
      const std::uint32_t index = endpoints.table.find({name(next), Scheme::https});
      if (index != 0 && (index != next + 2 || endpoints.table.size() <= next)) ++wrong;
    }
  };
  std::thread first{read};
  std::thread second{read};
  for (std::uint32_t i = 0; i < count && !failed; ++i) {
    failed = endpoints.table.insert({name(i), Scheme::https}) != i + 2;
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
      while (endpoints.table.find({key, Scheme::https}) == 0) continue;
      if (endpoints.table.size() <= i) ++wrong;
    }
  }};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string key = host(i);
    while (awaited <= i) continue;
    (void)endpoints.table.insert({key, Scheme::https});
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
      if (tables[i]->table.find({"last", Scheme::https}) == 0) ++wrong;
    }
  }};
  for (std::size_t i = 0; i < rounds; ++i) {
    while (awaited <= i) continue;
    (void)tables[i]->table.insert({"last", Scheme::https});
  }
  reader.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace event_metrics::record
