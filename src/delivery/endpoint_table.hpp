// delivery/endpoint_table.hpp - the endpoints of one client and how URLs spell them: append-only, read without a lock,
// in the client's arena.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "delivery/host_label.hpp"
#include "delivery/scan.hpp"
#include "delivery/text_hash.hpp"
#include "record/arena.hpp"
#include "record/layout.hpp"
#include "record/ring.hpp"

namespace event_metrics::inline v0::delivery {

/// Endpoints by index. 0 is `other` and 1 `invalid`, which are in no table; the first found in a URL is 2.
inline constexpr std::uint32_t other_endpoint = 0;
inline constexpr std::uint32_t invalid_endpoint = 1;
inline constexpr std::uint32_t first_endpoint = 2;

/// An endpoint is a label. It is found by its spellings: texts that its URLs begin with, of which url() of the label is
/// the first. Each has room for one more; what is not remembered has to be resolved by host_label(), and find() with
/// its answer.
class EndpointTable {
 public:
  static constexpr std::size_t wide_bytes = longest_of_three + 1;

  /// One spelling on a line of its own. A long one has its size and endpoint here: it is url() of the endpoint's label.
  struct alignas(record::Arena::line_bytes) Slot {
    std::uint32_t size;  ///< of the spelling; 0 where there is none, being_written until it is complete
    std::uint32_t word;  ///< word_of(endpoint, 0)
    char text[wide_bytes];
    std::uint32_t guess;  ///< which of 32 bytes behind the first 8 are the text's
    std::uint32_t end;    ///< the size of what stands in `text`
    std::uint32_t endpoint;
  };

  /// A table for `capacity` endpoints on lines(capacity) zeroed lines from `first_line`. The arena's first line is a
  /// Head, whose seed must be set before the first find().
  EndpointTable(const record::Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept;

  static std::uint32_t lines(std::uint32_t capacity) noexcept;

  /// The number of a spelling, or 0 when it is not in the table. Any thread; never waits.
  std::uint32_t find(std::string_view spelling) const noexcept;

  /// The index of the endpoint that is spelled like this; what find() returned.
  std::uint32_t endpoint(std::uint32_t number) const noexcept { return slots_[number].endpoint; }

  /// The slot with a number that find() once returned to this thread, or with 0, which is that of no spelling.
  const Slot& slot(std::uint32_t number) const noexcept { return slots_[number]; }

  /// word_of(endpoint, 0) if `url` begins with this spelling, which is not long, and then its path or query; otherwise
  /// 0. Reads wide_bytes of `url`.
  std::uint32_t word_if_wide(const Slot& slot, const char* url) const noexcept;

  /// The same of any spelling, and of a URL that goes on behind its first 8 bytes from `begin` on: there, or where its
  /// user info ends.
  std::uint32_t word_if(const Slot& slot, std::string_view url, std::size_t begin) const noexcept;

  /// Adds an endpoint whose label's url() find() did not have and returns its index; 0 when the table is full. Only
  /// under a lock that keeps other inserters out; nothing else needs one.
  std::uint32_t insert(const HostLabel& label) noexcept;

  /// Remembers `spelling` as the second one of the endpoint with this index, if there is none yet and it is neither
  /// long nor shorter than a word. Any thread; never waits.
  void remember(std::string_view spelling, std::uint32_t endpoint) noexcept;

  /// Whoever asks this first, and finds a label not there, knows that it never will be.
  bool is_full() const noexcept { return record::load(counts_.found, std::memory_order_acquire) == capacity_; }
  /// At least as many endpoints as find() can have returned spellings of to anybody: what was counted for one is looked
  /// at from then on. Acquire: an index below the size has its label.
  std::uint32_t size() const noexcept { return record::load(counts_.endpoints, std::memory_order_acquire); }

  /// The label with this index, first_endpoint <= index < first_endpoint + size(); it lives as long as the arena.
  std::string_view at(std::uint32_t index) const noexcept { return endpoints_[index - first_endpoint].label.text(); }

 private:
  /// On the first line. Found are the endpoints that find() returns, fewer than there are while one is added.
  struct Counts {
    std::uint32_t endpoints;
    std::uint32_t found;
  };

  struct Endpoint {
    HostLabel label;
    std::uint32_t spelled_again;  ///< 1 once a thread has begun to remember a second spelling
  };

  // Relaxed: who knows a slot's number has found it complete.
  static std::uint32_t size_of(const Slot& slot) noexcept { return record::load(slot.size, std::memory_order_relaxed); }
  static constexpr std::uint32_t being_written = ~0U;

  static std::uint32_t places(std::uint32_t capacity) noexcept { return 3 * capacity; }
  std::uint64_t home(std::uint64_t hash) const noexcept { return 1 + place_of(hash, places_); }
  std::uint64_t next(std::uint64_t number) const noexcept { return number == places_ ? 1 : number + 1; }
  template <class Equals>
  std::uint32_t find_from(std::uint64_t number, std::size_t size, Equals equals) const noexcept;
  std::uint32_t find_other_size(std::string_view spelling) const noexcept;
  void add(std::string_view spelling, std::uint32_t endpoint) noexcept;

  const record::Seed& seed_;
  Slot* slots_;  // by number. The first is of no spelling; of the others, by hash, two thirds are taken at most
  std::uint64_t places_;
  Counts& counts_;
  Endpoint* endpoints_;  // by index, less first_endpoint
  std::uint32_t capacity_;
};

template <class Equals>
[[gnu::always_inline]] inline std::uint32_t EndpointTable::find_from(std::uint64_t number, std::size_t size,
                                                                     Equals equals) const noexcept {
  for (;; number = next(number)) {  // ends: a third of the slots is empty
    const Slot& slot = slots_[number];
    // Acquire: pairs with add(), what has a size is complete.
    const std::uint32_t slot_size = record::load(slot.size, std::memory_order_acquire);
    if (slot_size == size && equals(slot)) return static_cast<std::uint32_t>(number);
    if (slot_size == 0) return 0;
  }
}

inline std::uint32_t EndpointTable::word_if(const Slot& slot, std::string_view url, std::size_t begin) const noexcept {
  const char* const host = url.data() + begin;
  const std::size_t size = std::size_t{size_of(slot)} - 8;  // of no spelling it wraps, and is more than any host
  if (size >= url.size() - begin || !OneOf<'/', '?'>::of(host[size])) return 0;
  const char* const text =
      size < wide_bytes - 8 ? slot.text : endpoints_[slot.endpoint - first_endpoint].label.url().data();
  return word_at(url.data()) == word_at(text) && equal(host, text + 8, size) ? slot.word : 0;
}

[[gnu::always_inline]] inline std::uint32_t EndpointTable::find(std::string_view spelling) const noexcept {
  const std::size_t size = spelling.size();
  if (!is_of_three(size)) [[unlikely]]
    return find_other_size(spelling);
  return find_from(home(pieces::hash(spelling.data(), size, seed_)), size,
                   [&](const Slot& slot) { return equal(spelling.data(), slot.text, size); });
}

inline std::uint32_t EndpointTable::word_if_wide(const Slot& slot, const char* url) const noexcept {
  if (word_at(url) != word_at(slot.text) || (slot.guess & ~pieces::equal_in_32(url + 8, slot.text + 8)) != 0) return 0;
  return OneOf<'/', '?'>::of(url[slot.end]) ? slot.word : 0;  // where nothing stands in `text` that is one of its zeros
}

}  // namespace event_metrics::inline v0::delivery
