// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A fully connected layer.
///
///     %y = dense %x, %w, %b : tensor<8 x fixed<22,10>>
///
/// Shapes       x: N; w: N x M; b: M; y: M
/// Semantics    y[m] = b[m] + sum over n of w[n,m] * x[n]
/// Constraints  C1  three operands: x of rank 1, w of rank 2, b of rank 1
///              C2  w's first extent is N, b's extent is w's second
///              C3  where all operands are fixed, every sum fits 64 bits
/// Result type  exact, as for conv2d
struct Dense {
  static constexpr std::string_view Mnemonic = "dense";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Dense&, const Dense&) = default;
};

}  // namespace millrace::graph
