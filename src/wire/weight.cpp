#include "wire/weight.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace event_metrics::inline v0::wire {

bool whole_rate(std::uint64_t n) noexcept {
  const auto weight = static_cast<double>(n);
  return 1.0 / (1.0 / weight) == weight;
}

std::uint64_t next_weight(std::uint64_t n, std::uint64_t most) noexcept {
  std::uint64_t weight = std::min(n, most);
  while (weight > 1 && !whole_rate(weight)) --weight;
  return weight;
}

char* write_rate(std::span<char> out, std::uint64_t weight) noexcept {
  const auto [end, error] =
      std::to_chars(out.data(), out.data() + out.size(), 1.0 / static_cast<double>(weight), std::chars_format::fixed);
  return error == std::errc{} ? end : nullptr;
}

}  // namespace event_metrics::inline v0::wire
