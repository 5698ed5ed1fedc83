// record/endpoint_table.hpp - the endpoints of one client: append-only, read without a lock, in the client's arena.

#pragma once

#include <cstdint>
#include <string_view>

#include "record/arena.hpp"
#include "record/host_key.hpp"

namespace event_metrics::inline v0::record {

/// Endpoints by index. 0 is `other` and 1 `invalid`, which are in no table; the first found in a URL is 2.
inline constexpr std::uint32_t other_endpoint = 0;
inline constexpr std::uint32_t invalid_endpoint = 1;
inline constexpr std::uint32_t first_endpoint = 2;

class EndpointTable {
 public:
  /// A table for `capacity` endpoints on lines(capacity) zeroed lines from `first_line`. The arena's first line is a
  /// Head, whose seed must be set before the first find().
  EndpointTable(Arena& arena, std::uint32_t first_line, std::uint32_t capacity) noexcept;

  static std::uint32_t lines(std::uint32_t capacity) noexcept;

  /// The index of a key, or 0 when it is not in the table, as an empty one never is. Any thread; never waits.
  std::uint32_t find(const HostKey& key) const noexcept;

  /// Adds a key that find() did not have and returns its index; 0 when the table or the arena is full. Only under a
  /// lock that keeps other inserters out; readers need none.
  std::uint32_t insert(const HostKey& key) noexcept;

  /// Whether insert() would have room: no lock is worth taking when it has not.
  bool has_room_for(const HostKey& key) const noexcept;
  std::uint32_t size() const noexcept;

  /// The key with this index, first_endpoint <= index < first_endpoint + size(); it lives as long as the arena.
  HostKey at(std::uint32_t index) const noexcept;

 private:
  struct Slot;
  std::uint32_t home(const HostKey& key) const noexcept;
  Slot& slot(std::uint32_t position) const noexcept { return arena_.at<Slot>(first_line_ + (position & mask_)); }
  std::uint32_t& position(std::uint32_t index) const noexcept;
  std::string_view text(const Slot& slot) const noexcept;

  Arena& arena_;
  std::uint32_t first_line_;
  std::uint32_t mask_;
  std::uint32_t capacity_;
};

}  // namespace event_metrics::inline v0::record
