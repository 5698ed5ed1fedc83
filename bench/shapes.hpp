// How services write the URLs of their endpoints, and where such a URL lies when a call is made with it. For the
// benchmarks and for the test of the budget: it needs neither Google Benchmark nor this library.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A URL of it is `before`, the number of its host, which has four digits, and `behind`.
struct Shape {
  std::string_view name;
  std::string_view before;
  std::string_view behind;
  bool many_paths = false;  ///< the number of its path, of four digits too, comes last
};

/// The first is like the URLs that all other benchmarks have, and the last has many paths. A long host is named by its
/// size.
inline constexpr std::array<Shape, 11> shapes = {{
    {"https", "https://hooks-", ".example.com/T000/B0000"},
    {"http", "http://hooks-", ".example.com/T000/B00000"},
    {"short", "https://h", ".io/a"},
    {"port", "https://hooks-", ".example.com:8443/T000/B0000"},
    {"upper case", "https://Hooks-", ".Example.com/T000/B0000"},
    {"host of 45", "https://tenant-", ".webhooks.eu-central-1.example.com/T000/B0000"},
    {"host of 62", "https://tenant-", ".webhooks.eu-central-1.internal-network.example.com/T000/B0000"},
    {"query", "https://hooks-", ".example.com?token=secret"},
    {"user info", "https://user:pw@hooks-", ".example.com/T000/B0000"},
    {"IPv6", "https://[2001:db8::", "]:8443/T000/B0000"},
    {"many paths", "https://hooks-", ".example.com/T000/B", true},
}};

/// One URL for each of at most 9000 endpoints, or 4096 in all where the shape has many paths. Each has its characters
/// in an allocation of its own.
inline std::vector<std::string> urls(const Shape& shape, std::size_t endpoints) {
  std::vector<std::string> result(shape.many_paths ? 4096 : endpoints);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = std::string{shape.before} + std::to_string(1000 + i % endpoints) + std::string{shape.behind};
    if (shape.many_paths) result[i] += std::to_string(1000 + i);
  }
  return result;
}

/// Makes copies of URLs, a batch of them before the first of their calls: a copy made just before its call would have
/// the call wait for its bytes to be stored, which a sender, who has sent a request in between, never does. A copy
/// begins at any byte, and where it lies another text lay in the batch before.
class Copies {
 public:
  static constexpr std::size_t batch = 512;

  /// The copies made before are gone.
  void begin_batch() { next_ = random_() % 64; }

  std::string_view add(std::string_view url) {
    if (url.size() > memory_.size() - next_) throw std::length_error{"Copies: no room for " + std::string{url}};
    char* const copy = memory_.data() + next_;
    std::copy(url.begin(), url.end(), copy);
    next_ = std::min(next_ + url.size() + random_() % 16, memory_.size());
    return {copy, url.size()};
  }

 private:
  std::minstd_rand random_{2026};
  std::size_t next_ = 0;
  std::vector<char> memory_ = std::vector<char>(batch * 128);
};

}  // namespace bench
