#include "delivery/endpoints.hpp"

#include <string>

#include "base/refuse.hpp"
#include "record/endpoint_table.hpp"
#include "record/ring.hpp"

namespace event_metrics::inline v0 {
namespace {

constexpr std::size_t most_endpoints = 100'000;
static_assert(2 * most_endpoints <= record::most_endpoints);  // each has two spellings

}  // namespace

void check_endpoints(std::string_view options, EndpointLabel label, std::size_t max_endpoints) {
  if (label != EndpointLabel::none && label != EndpointLabel::host) {
    refuse(std::string{options} + ".endpoint_label", "is no label", "write EndpointLabel::none or ::host");
  }
  if (max_endpoints < 1 || max_endpoints > most_endpoints) {
    refuse(std::string{options} + ".max_endpoints", "is " + std::to_string(max_endpoints),
           "write a number from 1 to " + std::to_string(most_endpoints));
  }
}

}  // namespace event_metrics::inline v0
