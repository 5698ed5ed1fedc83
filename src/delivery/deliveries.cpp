#include "delivery/deliveries.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

#include "delivery/host_key.hpp"
#include "delivery/host_label.hpp"
#include "delivery/scan.hpp"
#include "record/registry.hpp"

namespace event_metrics::inline v0::delivery {
namespace {

using record::Lane;
using record::this_thread;
using record::word_of;

/// Of two words that most URLs have in their host a thread remembers how the last URL with them spelled its endpoint: a
/// guess, which is compared before it is believed. The words stand behind a URL's first 8 bytes, or behind its user
/// info: from `begin` on, where the URL may end.
std::uint16_t& guess(record::Block& block, std::string_view url, std::size_t begin) noexcept {
  if (url.size() < begin + 8) return block.hint[0];
  const std::uint64_t one = word_at(url.data() + begin);
  const std::uint64_t other = word_at(url.data() + std::min(begin + 8, url.size() - 8));
  // Factors by chance, tried out: under these 256 hosts that differ in a number have a place each, 1024 have 892 or
  // more, and none of the 256 has that of a user info which they share (where what is guessed there first is now right
  // and now wrong, no processor foresees which).
  const std::uint64_t hash = one * 0x89C0B47F16E6286DU + other * 0x1B669E14791704C7U;
  return block.hint[hash >> (64U - std::bit_width(record::hint_count - 1))];
}

/// Numbers of spellings that a guess can say.
constexpr std::uint32_t most_guessed = 1U << 16U;

/// What ends the host of a URL, or its user info, behind the eighth byte, so that a scheme of up to five letters is
/// passed by. If it is not the `@` of user info, what stands before is the spelling of an endpoint where it is in the
/// table, and nothing else has to be proved.
using End = OneOf<'/', '?', '@'>;

constexpr std::size_t wide = EndpointTable::wide_bytes;

}  // namespace

record::Recorder::Limits Deliveries::Limits::of_recorder() const noexcept {
  return {
      .rows = first_endpoint + max_endpoints, .further_lines = EndpointTable::lines(max_endpoints), .memory = memory};
}

// See the members: a pointer before the table and a size behind it.
static_assert(sizeof(void*) + sizeof(EndpointTable) + sizeof(std::size_t) <= record::Arena::line_bytes);

Deliveries::Deliveries(const Limits& limits, record::Recorder::Reborn reborn, std::unique_ptr<record::Arena> arena)
    : head_{record::head(*arena)},
      table_{*arena, record::Recorder::further_line(limits.of_recorder()), limits.max_endpoints},
      guess_from_{limits.by_endpoint ? wide : std::string_view{}.max_size()},
      writer_{*arena, limits.of_recorder().rows},
      by_endpoint_{limits.by_endpoint},
      recorder_{limits.of_recorder(), std::move(reborn), std::move(arena)} {}

void Deliveries::success(std::string_view url, std::chrono::nanoseconds duration) noexcept {
  record(url, record::cell_of(duration));
}

void Deliveries::failed(std::string_view url) noexcept { record(url, record::tally_code); }

// Most processes have one client: its lane's address is known before anything of the client has been read.
inline void Deliveries::record(std::string_view url, unsigned cell) noexcept {
  if (record::Recorder::is_known(this_thread.first_lane, head_)) [[likely]]
    return by_guess(this_thread.first_lane, url, cell);
  by_further_lane(url, cell);
}

// What nearly every call comes down to. Whatever is not as usual is left to the next function, called last, so that
// this one needs no stack.
inline void Deliveries::by_guess(Lane& lane, std::string_view url, unsigned cell) noexcept {
  if (url.size() < guess_from_) [[unlikely]]
    return by_short_guess(url, cell, lane);
  const EndpointTable::Slot& guessed = table_.slot(guess(*lane.block, {url.data(), wide}, 8));
  const std::uint32_t word = table_.word_if_wide(guessed, url.data());
  if (word == 0) [[unlikely]]
    return by_second_guess(url, cell, lane, guessed);
  writer_.into_ring(lane, word, cell);
}

// The URL is short, or not looked at.
[[gnu::noinline]] void Deliveries::by_short_guess(std::string_view url, unsigned cell, Lane& lane) noexcept {
  if (!by_endpoint_) return writer_.into_ring(lane, word_of(other_endpoint, 0), cell);
  if (url.size() < 8) return by_label(url, cell, lane, lane.block->hint[0]);
  by_second_guess(url, cell, lane, table_.slot(guess(*lane.block, url, 8)));
}

[[gnu::noinline]] void Deliveries::by_further_lane(std::string_view url, unsigned cell) noexcept {
  Lane& lane = recorder_.further_lane();
  if (record::Recorder::is_known(lane, head_)) return by_guess(lane, url, cell);
  const record::Block* const own = recorder_.own_block();  // first: in a forked child it empties the table
  std::uint16_t not_guessed = 0;
  recorder_.count(own, endpoint_of(url, not_guessed), cell);
}

// URL or host are not of the size that has been compared, or the guess was wrong.
[[gnu::noinline]] void Deliveries::by_second_guess(std::string_view url, unsigned cell, Lane& lane,
                                                   const EndpointTable::Slot& guessed) noexcept {
  const std::uint32_t word = table_.word_if(guessed, url, 8);
  if (word == 0) [[unlikely]]
    return by_host_behind(url, cell, lane);
  writer_.into_ring(lane, word, cell);
}

// As by_guess(), of an https URL without its user info: what is guessed then is the label. Where there is none it is
// known how much of the URL has to be looked up, if that is not much.
[[gnu::noinline]] void Deliveries::by_host_behind(std::string_view url, unsigned cell, Lane& lane) noexcept {
  if (url.size() < wide) return by_text(url, cell, lane, wide);
  const std::size_t end = 8 + find_in_32<End, true>(url.data() + 8);
  if (end == wide || url[end] != '@') return by_text(url, cell, lane, end);
  std::uint16_t& number = guess(*lane.block, url, end + 1);
  // Of another scheme a part of the user info would be among the first 8 bytes; and these two end a host before an `@`.
  const bool is_user_info =
      word_at(url.data()) == word_at(https.data()) && 8 + find_in_32<OneOf<'#', '\\'>, true>(url.data() + 8) > end;
  const std::uint32_t word = is_user_info ? table_.word_if(table_.slot(number), url, end + 1) : 0;
  if (word == 0) [[unlikely]]
    return by_label(url, cell, lane, number);
  writer_.into_ring(lane, word, cell);
}

// `size` is what by_host_behind() has found out: how much of the URL has to be looked up, or `wide` where it does not
// know.
[[gnu::noinline]] void Deliveries::by_text(std::string_view url, unsigned cell, Lane& lane, std::size_t size) noexcept {
  const auto number = [&]() -> std::uint16_t& { return guess(*lane.block, url, 8); };
  if (size == wide) {
    size = find_byte<End, true>(url, 8);
    if (size < url.size() && url[size] == '@') return by_label(url, cell, lane, number());
  }
  const bool is_full = table_.is_full();  // first: what made it full is found then
  const std::uint32_t spelling = table_.find({url.data(), size});
  std::uint32_t endpoint = invalid_endpoint;
  if (spelling != 0) [[likely]] {
    if (spelling < most_guessed) number() = static_cast<std::uint16_t>(spelling);
    endpoint = table_.endpoint(spelling);
  } else if (const Glance seen = glance(url, size); seen != Glance::no_host) {
    if (seen != Glance::url_of_label || !is_full) return by_label(url, cell, lane, number());
    endpoint = other_endpoint;
  }
  writer_.into_ring(lane, word_of(endpoint, 0), cell);
}

[[gnu::noinline]] void Deliveries::by_label(std::string_view url, unsigned cell, Lane& lane,
                                            std::uint16_t& number) noexcept {
  writer_.into_ring(lane, word_of(endpoint_of(url, number), 0), cell);
}

std::uint32_t Deliveries::endpoint_of(std::string_view url, std::uint16_t& number) noexcept {
  if (!by_endpoint_) return other_endpoint;
  const HostKey key = host_key(url);
  const HostLabel label = host_label(key);
  if (label.size == 0) return invalid_endpoint;
  const bool is_full = table_.is_full();  // first: what made it full is found then
  const std::uint32_t known = table_.find(label.url());
  if (known == 0 && is_full) return other_endpoint;
  if (known < most_guessed) number = static_cast<std::uint16_t>(known);
  const std::uint32_t endpoint = known != 0 ? table_.endpoint(known) : new_endpoint(label);
  if (endpoint != other_endpoint) table_.remember(key.spelling, endpoint);
  return endpoint;
}

std::uint32_t Deliveries::new_endpoint(const HostLabel& label) noexcept {
  const std::lock_guard lock{record::Registry::instance().mutex()};
  if (const std::uint32_t known = table_.find(label.url())) return table_.endpoint(known);  // another thread's
  const std::uint32_t endpoint = table_.insert(label);
  return endpoint != 0 ? endpoint : other_endpoint;
}

// On a cache line of its own: from two it takes a quarter of a nanosecond more.
[[gnu::aligned(record::Arena::line_bytes)]] void Deliveries::active_task(std::int64_t change) noexcept {
  if (record::Recorder::is_known(this_thread.first_lane, head_)) [[likely]]
    return record::Writer::into_own_tasks(*this_thread.first_lane.block, change);
  recorder_.active_task(change);
}

}  // namespace event_metrics::inline v0::delivery
