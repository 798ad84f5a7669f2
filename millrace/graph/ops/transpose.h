// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// The axes of a map in another order.
///
///     %y = transpose %x {permutation = [1, 0, 2]} : tensor<7x9x3 x ufixed<9,4>>
///
/// Shapes       y's extent number d is x's extent number permutation[d]
/// Semantics    y[i0,i1,i2] is the element of x whose index along axis permutation[d] is i_d
/// Constraints  C1  one operand of rank 3
///              C2  permutation holds 0, 1 and 2, each once
/// Result type  x's element type
struct Transpose {
  static constexpr std::string_view Mnemonic = "transpose";
  std::array<int64_t, 3> permutation = {0, 1, 2};

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("permutation", self.permutation[0], self.permutation[1], self.permutation[2]);
  }
  friend bool operator==(const Transpose&, const Transpose&) = default;
};

}  // namespace millrace::graph
