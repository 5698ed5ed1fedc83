#include "delivery/deliveries.hpp"

#include <mutex>
#include <utility>

#include "delivery/host_key.hpp"
#include "delivery/host_label.hpp"
#include "record/registry.hpp"

namespace event_metrics::inline v0::delivery {
namespace {

using record::Lane;
using record::this_thread;
using record::word_of;

/// A service keeps its URLs where they are. So of each place of 32 bytes, modulo their number, a thread remembers how
/// the last https URL that began there spelled its endpoint: a guess, which is compared before it is believed.
std::uint16_t& guess(record::Block& block, const char* url) noexcept {
  return block.hint[reinterpret_cast<std::uintptr_t>(url) / 32 % record::hint_count];
}

/// Spellings that a guess can say.
constexpr std::uint32_t most_guessed = 1U << 16U;

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
      short_key_url_bytes_{limits.by_endpoint ? short_key_url_bytes : std::string_view{}.max_size()},
      writer_{*arena},
      by_endpoint_{limits.by_endpoint},
      recorder_{limits.of_recorder(), std::move(reborn), std::move(arena)} {}

void Deliveries::success(std::string_view url, std::chrono::nanoseconds duration) noexcept {
  record(url, record::cell_of(duration));
}

void Deliveries::failed(std::string_view url) noexcept { record(url, record::failed_cell); }

// Most processes have one client: its lane's address is known before anything of the client has been read.
inline void Deliveries::record(std::string_view url, unsigned cell) noexcept {
  if (record::Recorder::is_known(this_thread.first_lane, head_)) [[likely]]
    return by_place(this_thread.first_lane, url, cell);
  by_further_lane(url, cell);
}

// What nearly every call comes down to. Whatever is not as usual is left to the next function, called last, so that
// this one needs no stack.
inline void Deliveries::by_place(Lane& lane, std::string_view url, unsigned cell) noexcept {
  if (url.size() < short_key_url_bytes_) [[unlikely]]
    return by_key(url, cell, lane);
  const std::uint32_t word = table_.word_if(guess(*lane.block, url.data()), url.data());
  if (word == 0) [[unlikely]]
    return by_key(url, cell, lane);
  writer_.into_ring(lane, word, cell);
}

[[gnu::noinline]] void Deliveries::by_further_lane(std::string_view url, unsigned cell) noexcept {
  Lane& lane = recorder_.further_lane();
  if (record::Recorder::is_known(lane, head_)) return by_place(lane, url, cell);
  by_label(url, cell);
}

// At the URL's place lay another one before, or none, or one that counts as `other`; or it is short, or not looked at.
[[gnu::noinline]] void Deliveries::by_key(std::string_view url, unsigned cell, Lane& lane) noexcept {
  if (!by_endpoint_) return writer_.into_ring(lane, word_of(other_endpoint, 0), cell);
  ShortKey key;
  if (!likely_short_key(url, key)) [[unlikely]]
    return by_label(url, cell);
  const bool is_full = table_.is_full();  // first: what made it full is found then
  const std::uint32_t spelling = table_.find(key);
  if (spelling == 0) [[unlikely]] {
    if (is_full && is_label(key)) return writer_.into_ring(lane, word_of(other_endpoint, 0), cell);
    if (is_no_host(url)) return writer_.into_ring(lane, word_of(invalid_endpoint, 0), cell);
    return by_label(url, cell);
  }
  if (url.size() >= short_key_url_bytes && url[4] == 's' && spelling < most_guessed) {
    guess(*lane.block, url.data()) = static_cast<std::uint16_t>(spelling);
  }
  writer_.into_ring(lane, word_of(table_.endpoint(spelling), 0), cell);
}

[[gnu::noinline]] void Deliveries::by_label(std::string_view url, unsigned cell) noexcept {
  const record::Block* const own = recorder_.own_block();  // first: in a forked child it empties the table
  recorder_.count(own, endpoint_of(url), cell);
}

std::uint32_t Deliveries::endpoint_of(std::string_view url) noexcept {
  if (!by_endpoint_) return other_endpoint;
  const HostKey spelling = host_key(url);
  const HostLabel label = host_label(spelling);
  if (label.size == 0) return invalid_endpoint;
  const bool is_full = table_.is_full();  // first: what made it full is found then
  const std::uint32_t known = table_.find(key_of(label));
  if (known == 0 && is_full) return other_endpoint;
  const std::uint32_t endpoint = known != 0 ? table_.endpoint(known) : new_endpoint(label);
  if (endpoint != other_endpoint) table_.remember(spelling, endpoint);
  return endpoint;
}

std::uint32_t Deliveries::new_endpoint(const HostLabel& label) noexcept {
  const std::lock_guard lock{record::Registry::instance().mutex()};
  if (const std::uint32_t known = table_.find(key_of(label))) return table_.endpoint(known);  // another thread's
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
