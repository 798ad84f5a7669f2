// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "millrace/fixed/fixed_type.h"
#include "millrace/support/shape.h"

namespace millrace::graph {

/// The type of an SSA value: a shape and a number format. Feature maps are HWC, vectors one extent.
struct TensorType {
  Shape shape;
  std::optional<FixedType> element;  ///< none: real numbers, as a frontend found them

  bool is_fixed() const { return element.has_value(); }
  /// The fixed-point element type. Errors   InternalError for real tensors.
  const FixedType& fixed() const;
  /// "tensor<28x28x1 x ufixed<8,0>>", or "tensor<10 x real>".
  std::string to_string() const;

  friend bool operator==(const TensorType&, const TensorType&) = default;
};

}  // namespace millrace::graph
