// ledger/series_set.hpp - some of a client's series, one bit each.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace event_metrics::inline v0::ledger {

class SeriesSet {
 public:
  /// Of the series 0 to `most` - 1. Throws std::bad_alloc.
  explicit SeriesSet(std::uint32_t most) : words_(words(most)) {}

  static std::size_t bytes(std::uint32_t most) noexcept { return words(most) * sizeof(std::uint64_t); }

  void put(std::uint32_t series, bool in) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << series % bits;
    std::uint64_t& word = words_[series / bits];
    word = in ? word | bit : word & ~bit;
  }

  /// The first from `from` on, in a circle; nothing when there is none.
  std::optional<std::uint32_t> next(std::uint32_t from) const noexcept {
    const std::size_t first = from / bits < words_.size() ? from / bits : 0;
    const std::uint64_t before = (std::uint64_t{1} << from % bits) - 1;  // of the first word, those looked at last
    for (std::size_t i = 0; i <= words_.size(); ++i) {
      const std::size_t at = (first + i) % words_.size();
      std::uint64_t word = words_[at];
      if (i == 0) word &= ~before;
      if (i == words_.size()) word &= before;
      if (word != 0) return series(at, word);
    }
    return std::nullopt;
  }

  /// Calls visit(series), ascending. It may take out the series itself.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t at = 0; at < words_.size(); ++at) {
      for (std::uint64_t word = words_[at]; word != 0; word &= word - 1) visit(series(at, word));
    }
  }

 private:
  static constexpr unsigned bits = 64;

  static std::size_t words(std::uint32_t most) noexcept { return most / bits + 1; }
  static std::uint32_t series(std::size_t at, std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(at * bits) + static_cast<unsigned>(std::countr_zero(word));
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace event_metrics::inline v0::ledger
