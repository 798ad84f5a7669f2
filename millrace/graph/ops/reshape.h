// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// The same elements in another shape, in row-major order (the last index varies fastest).
///
///     %y = reshape %x {shape = [5, 5, 4]} : tensor<5x5x4 x ufixed<9,4>>
///
/// Constraints  C1  one operand of rank 1 to 3
///              C2  shape has 1 to 3 extents, each at least 1, and as many elements as x
/// Result type  x's element type
struct Reshape {
  static constexpr std::string_view Mnemonic = "reshape";
  Shape shape;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("shape", self.shape);
  }
  friend bool operator==(const Reshape&, const Reshape&) = default;
};

}  // namespace millrace::graph
