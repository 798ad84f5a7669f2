// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Repeats every pixel: the nearest pixel of the smaller map.
///
///     %y = upsample %x {factor = [2, 2]} : tensor<26x26x4 x ufixed<9,4>>
///
/// Shapes       x: H x W x C; y: H*FH x W*FW x C
/// Semantics    y[r,c,k] = x[r / FH, c / FW, k], rounded down
/// Constraints  C1  one operand of rank 3
///              C2  factors are from 1 to Window::Limit
/// Result type  x's element type
struct Upsample {
  static constexpr std::string_view Mnemonic = "upsample";
  int64_t factor_h = 1, factor_w = 1;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("factor", self.factor_h, self.factor_w);
  }
  friend bool operator==(const Upsample&, const Upsample&) = default;
};

}  // namespace millrace::graph
