// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "millrace/fixed/fixed_type.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::graph {

/// The type of an SSA value: a shape and a number format. Feature maps are HWC, vectors one extent.
///
/// Constraints  C1  raw integers fit int64_t: at most 64 bits signed or 63 bits unsigned; at most
///                  FixedType::MaxFracBits fraction bits, of either sign
///              C2  1 to MaxRank extents, each at least 1, and at most MaxElements elements
struct TensorType {
  static constexpr size_t MaxRank = 4;
  static constexpr int64_t MaxElements = int64_t{1} << 28;

  Shape shape;
  std::optional<FixedType> element;  ///< none: real numbers, as a frontend found them

  bool is_fixed() const { return element.has_value(); }
  /// The fixed-point element type. Errors   InternalError for real tensors.
  const FixedType& fixed() const;
  /// "tensor<28x28x1 x ufixed<8,0>>", or "tensor<10 x real>".
  std::string to_string() const;
  /// Checks the constraints.
  Status verify(const std::string& where) const;

  friend bool operator==(const TensorType&, const TensorType&) = default;
};

}  // namespace millrace::graph
