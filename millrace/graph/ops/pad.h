// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Surrounds a map with zeros.
///
///     %y = pad %x {padding = [1, 1, 0, 0]} : tensor<14x14x4 x ufixed<9,4>>
///
/// Shapes       x: H x W x C; y: (top + H + bottom) x (left + W + right) x C. padding is
///              [top, left, bottom, right].
/// Semantics    y[r,c,k] = x[r-top, c-left, k] inside the map, 0 outside of it
/// Constraints  C1  one operand of rank 3
///              C2  paddings are from 0 to Window::Limit
/// Result type  x's element type
struct Pad {
  static constexpr std::string_view Mnemonic = "pad";
  int64_t top = 0, left = 0, bottom = 0, right = 0;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("padding", self.top, self.left, self.bottom, self.right);
  }
  friend bool operator==(const Pad&, const Pad&) = default;
};

}  // namespace millrace::graph
