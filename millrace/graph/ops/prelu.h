// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A rectifier that scales negative numbers; with one alpha for all it is the leaky rectifier.
///
///     %y = prelu %x, %alpha : tensor<26x26x4 x fixed<14,4>>
///
/// Shapes       x, y: any with last extent C; alpha: C or 1
/// Semantics    y[..,c] = x[..,c] >= 0 ? x[..,c] : alpha[c] * x[..,c]
/// Constraints  C1  two operands of such shapes
///              C2  where both are fixed, every result fits 64 bits
/// Result type  real as soon as one operand is. Else exact: the larger of x's fraction bits and
///              those of the products, and the narrowest range of both branches.
struct Prelu {
  static constexpr std::string_view Mnemonic = "prelu";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Prelu&, const Prelu&) = default;
};

}  // namespace millrace::graph
