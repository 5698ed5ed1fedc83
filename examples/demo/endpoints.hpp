// demo/endpoints.hpp - the five webhooks that the demo delivers to, each with a temper of its own.

#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // the seed
#include <memory>   // the servers
#include <span>     // the endpoints
#include <vector>   // the endpoints

#include "demo/publisher.hpp"

namespace demo {

enum class Temper : std::uint8_t {
  healthy,      ///< 200 within a few milliseconds
  slow,         ///< 200 after 20 to 180 ms
  unavailable,  ///< 503
  refusing,     ///< refuses connections
  silent,       ///< takes the request and never answers
};

/// HTTP servers on loopback, one port each, all served by one thread. Delays are drawn from the seed.
class Endpoints {
 public:
  explicit Endpoints(std::uint64_t seed);
  ~Endpoints();
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  std::span<const Endpoint> all() const { return endpoints_; }
  std::span<const Endpoint> only(Temper temper) const { return all().subspan(static_cast<std::size_t>(temper), 1); }

 private:
  class Servers;
  std::unique_ptr<Servers> servers_;
  std::vector<Endpoint> endpoints_;
};

}  // namespace demo
