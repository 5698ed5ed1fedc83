// delivery/deliveries.hpp - records deliveries: which row is the endpoint of a URL, and which cell is a duration?
//
// The endpoint is looked for in this order, each where the one before does not know it:
//
//   by_guess()         what the last URL with the same two words in its host had, compared with it
//   by_second_guess()  the same of short URLs and long hosts
//   by_host_behind()   the same of hosts behind user info; finds on the way where the host of any other URL ends
//   by_text()          what it begins with, up to there, in the table
//   by_label()         it is read as a whole; a new endpoint, or a thread's first call, takes a lock

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "delivery/endpoint_table.hpp"
#include "record/arena.hpp"
#include "record/budget.hpp"
#include "record/recorder.hpp"
#include "record/thread.hpp"
#include "record/writer.hpp"

namespace event_metrics::inline v0::delivery {

class alignas(record::Arena::line_bytes) Deliveries {
 public:
  struct Limits {
    std::uint32_t max_endpoints;
    bool by_endpoint;  ///< false: every URL counts as `other`, and is not looked at
    record::Budget::Limits memory;

    record::Recorder::Limits of_recorder() const noexcept;
  };

  /// Throws std::bad_alloc.
  Deliveries(const Limits& limits, record::Recorder::Reborn reborn)
      : Deliveries{limits, std::move(reborn), record::Recorder::new_arena(limits.of_recorder())} {}

  record::Recorder& recorder() noexcept { return recorder_; }

  // Any thread. Nothing here waits, locks, allocates or enters the kernel once thread and endpoint have been seen.

  void success(std::string_view url, std::chrono::nanoseconds duration) noexcept;
  void failed(std::string_view url) noexcept;
  void active_task(std::int64_t change) noexcept;

  /// Endpoints by index, which are rows of the recorder: 0 to endpoint_count() - 1. The first two are not in the table,
  /// and have no label there.
  std::uint32_t endpoint_count() const noexcept { return first_endpoint + table_.size(); }
  std::string_view label(std::uint32_t index) const noexcept { return table_.at(index); }

 private:
  Deliveries(const Limits& limits, record::Recorder::Reborn reborn, std::unique_ptr<record::Arena> arena);

  void record(std::string_view url, unsigned cell) noexcept;
  void by_guess(record::Lane& lane, std::string_view url, unsigned cell) noexcept;
  void by_short_guess(std::string_view url, unsigned cell, record::Lane& lane) noexcept;
  void by_further_lane(std::string_view url, unsigned cell) noexcept;
  void by_second_guess(std::string_view url, unsigned cell, record::Lane& lane,
                       const EndpointTable::Slot& guessed) noexcept;
  void by_host_behind(std::string_view url, unsigned cell, record::Lane& lane) noexcept;
  void by_text(std::string_view url, unsigned cell, record::Lane& lane, std::size_t size) noexcept;
  void by_label(std::string_view url, unsigned cell, record::Lane& lane, std::uint16_t& number) noexcept;
  std::uint32_t endpoint_of(std::string_view url, std::uint16_t& number) noexcept;
  std::uint32_t new_endpoint(const HostLabel& label) noexcept;

  // What a call reads lies on one line.
  record::Head& head_;
  EndpointTable table_;
  std::size_t guess_from_;  // the size from which a URL is worth a guess
  record::Writer writer_;
  const bool by_endpoint_;
  record::Recorder recorder_;
};

}  // namespace event_metrics::inline v0::delivery
