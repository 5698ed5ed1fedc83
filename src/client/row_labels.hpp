// client/row_labels.hpp - what the rows of a recorder are called: said by whoever finds them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace event_metrics::inline v0 {

class RowLabels {
 public:
  /// The rows before it are `other` and `invalid`, and have no label here.
  static constexpr std::uint32_t first_labelled = 2;

  /// The most bytes of a label: a host, a colon and five digits.
  static constexpr std::size_t longest = 261;

  /// At least as many rows as anything may have been counted in. Any thread.
  virtual std::uint32_t row_count() const noexcept = 0;

  /// The label of a row, first_labelled <= row < row_count(); it lives as long as the recorder. Any thread.
  virtual std::string_view label(std::uint32_t row) const noexcept = 0;

 protected:
  ~RowLabels() = default;
};

}  // namespace event_metrics::inline v0
