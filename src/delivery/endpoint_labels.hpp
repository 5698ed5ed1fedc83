// delivery/endpoint_labels.hpp - tells a client what the rows of its recorder are called.

#pragma once

#include <cstdint>
#include <string_view>

#include "client/row_labels.hpp"
#include "delivery/deliveries.hpp"

namespace event_metrics::inline v0::delivery {

class EndpointLabels final : public RowLabels {
 public:
  /// `deliveries` outlive this.
  explicit EndpointLabels(const Deliveries& deliveries) noexcept : deliveries_{deliveries} {}

  std::uint32_t row_count() const noexcept override { return deliveries_.endpoint_count(); }
  std::string_view label(std::uint32_t row) const noexcept override { return deliveries_.label(row); }

 private:
  static_assert(first_labelled == first_endpoint && longest == longest_label);

  const Deliveries& deliveries_;
};

}  // namespace event_metrics::inline v0::delivery
