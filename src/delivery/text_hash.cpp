#include "delivery/text_hash.hpp"

namespace event_metrics::inline v0::delivery {

std::uint64_t hash_of_other_size(std::string_view text, const record::Seed& seed) noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
  constexpr std::size_t piece = 32;
  if (text.size() < piece) {
    char padded[piece] = {};
    std::ranges::copy(text, padded);
    return pieces::hash(padded, piece, seed);
  }
  std::uint64_t hash = text.size();
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::size_t last = text.size() - piece;  // the last piece overlaps those before
    hash = hash * odd + pieces::hash(text.data() + std::min(at, last), piece, seed);
  }
  return hash;
}

}  // namespace event_metrics::inline v0::delivery
