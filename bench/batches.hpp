// A workload laid out some deliveries at a time, so that copies of its URLs can be made outside the clock.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shapes.hpp"
#include "workload.hpp"

namespace bench {

/// What a sender has at hand when it makes a call.
struct Sent {
  std::string_view url;
  std::chrono::nanoseconds duration;
};

/// The deliveries of a workload, gone round for ever, with the URLs where they are or with copies of them.
class Batches {
 public:
  Batches(const Workload& workload, bool copied) : workload_{workload}, copied_{copied} {}

  /// The next ones, at most `most`; they are gone with the next call.
  std::span<const Sent> next(std::int64_t most) {
    const std::size_t count = std::min(sent_.size(), static_cast<std::size_t>(most));
    copies_.begin_batch();
    for (std::size_t i = 0; i < count; ++i) {
      const Delivery& delivery = workload_.delivery(number_++);
      const std::string_view url = workload_.url(delivery);
      sent_[i] = {copied_ ? copies_.add(url) : url, delivery.duration()};
    }
    return {sent_.data(), count};
  }

 private:
  const Workload& workload_;
  const bool copied_;
  std::int64_t number_ = 0;
  Copies copies_;
  std::vector<Sent> sent_ = std::vector<Sent>(Copies::batch);
};

}  // namespace bench
