#include "record/endpoint_table.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "record/cells.hpp"

namespace event_metrics::inline v0::record {
namespace {

constexpr std::size_t inline_key = 48;

std::uint32_t long_key_lines(const HostKey& key) noexcept {
  if (key.authority.size() <= inline_key) return 0;
  return static_cast<std::uint32_t>(key.authority.size() / Arena::line_bytes + 1);
}

std::uint32_t slots(std::uint32_t capacity) noexcept { return std::bit_ceil(2 * capacity); }

// A 64 x 64 bit product folded to 64 bits: the whole of both factors reaches every bit of the result.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

template <class Word>
std::uint64_t word(const char* bytes) noexcept {
  Word value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// The first and the last eight bytes of what has no more than sixteen: they may overlap.
struct Ends {
  std::uint64_t first;
  std::uint64_t last;
};
Ends ends(const char* bytes, std::size_t size) noexcept {
  if (size >= 8) return {word<std::uint64_t>(bytes), word<std::uint64_t>(bytes + size - 8)};
  if (size >= 4) return {word<std::uint32_t>(bytes), word<std::uint32_t>(bytes + size - 4)};
  if (size == 0) return {0, 0};
  return {word<std::uint8_t>(bytes) << 8U | word<std::uint8_t>(bytes + size / 2), word<std::uint8_t>(bytes + size - 1)};
}

// Seeded, so that nobody who chooses URLs can choose collisions.
std::uint64_t hash(std::string_view text, std::uint64_t seed) noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
  std::uint64_t h = seed ^ text.size() * odd;
  const char* bytes = text.data();
  std::size_t left = text.size();
  for (; left > 16; bytes += 16, left -= 16) {
    h = mix(word<std::uint64_t>(bytes) ^ h, word<std::uint64_t>(bytes + 8) ^ seed);
  }
  const auto [first, last] = ends(bytes, left);
  return mix(mix(first ^ h, last ^ seed), odd);
}

}  // namespace

/// One line. A key longer than fits stands whole in lines of its own.
struct EndpointTable::Slot {
  std::uint32_t index;  ///< 0 while empty; stored last
  std::uint32_t long_key;
  std::uint16_t length;
  Scheme scheme;
  char key[inline_key];
};

EndpointTable::EndpointTable(Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept
    : arena_{arena}, first_line_{first_line}, mask_{slots(capacity) - 1}, capacity_{capacity} {
  static_assert(sizeof(Slot) <= Arena::line_bytes);
}

std::uint32_t EndpointTable::lines(std::uint32_t capacity) noexcept {
  constexpr std::uint32_t positions_per_line = Arena::line_bytes / sizeof(std::uint32_t);
  return slots(capacity) + (capacity + positions_per_line - 1) / positions_per_line;
}

std::uint32_t EndpointTable::size() const noexcept {
  // Acquire: an index below the size has its key and its position.
  return load(arena_.at<Head>(0).endpoint_count, std::memory_order_acquire);
}

std::uint32_t EndpointTable::home(const HostKey& key) const noexcept {
  const std::uint64_t seed = load(arena_.at<Head>(0).seed, std::memory_order_relaxed);  // set before anybody looks
  return static_cast<std::uint32_t>(hash(key.authority, seed + static_cast<unsigned>(key.scheme)));
}

std::uint32_t& EndpointTable::position(std::uint32_t index) const noexcept {
  return (&arena_.at<std::uint32_t>(first_line_ + mask_ + 1))[index - first_endpoint];
}

std::string_view EndpointTable::text(const Slot& slot) const noexcept {
  return {slot.length <= inline_key ? slot.key : &arena_.at<char>(slot.long_key), slot.length};
}

std::uint32_t EndpointTable::find(const HostKey& key) const noexcept {
  for (std::uint32_t at = home(key);; ++at) {  // ends: at least half of the slots are empty
    Slot& candidate = slot(at);
    // Acquire: pairs with insert(), the key's bytes are there before the index.
    const std::uint32_t index = load(candidate.index, std::memory_order_acquire);
    if (index == 0) return 0;
    if (candidate.scheme == key.scheme && text(candidate) == key.authority) return index;
  }
}

bool EndpointTable::has_room_for(const HostKey& key) const noexcept {
  return size() < capacity_ && (key.authority.size() <= inline_key || arena_.ready() >= long_key_lines(key));
}

std::uint32_t EndpointTable::insert(const HostKey& key) noexcept {
  const std::uint32_t count = size();
  if (count >= capacity_) return 0;
  std::uint32_t at = home(key);
  while (load(slot(at).index, std::memory_order_relaxed) != 0) ++at;  // other inserters are kept out

  Slot& chosen = slot(at);
  char* bytes = chosen.key;
  if (const std::uint32_t lines = long_key_lines(key); lines > 0) {
    chosen.long_key = arena_.take(lines);
    if (chosen.long_key == 0) return 0;
    bytes = &arena_.at<char>(chosen.long_key);
  }
  std::copy(key.authority.begin(), key.authority.end(), bytes);
  chosen.length = static_cast<std::uint16_t>(key.authority.size());
  chosen.scheme = key.scheme;

  const std::uint32_t index = first_endpoint + count;
  position(index) = at & mask_;
  store(chosen.index, index, std::memory_order_release);                           // pairs with find()
  store(arena_.at<Head>(0).endpoint_count, count + 1, std::memory_order_release);  // pairs with size()
  return index;
}

HostKey EndpointTable::at(std::uint32_t index) const noexcept {
  const Slot& found = slot(position(index));
  return {text(found), found.scheme};
}

}  // namespace event_metrics::inline v0::record
