// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A tensor that the graph is given.
///
///     %image = input : tensor<28x28x1 x ufixed<8,0>>
///
/// Constraints  C1  every extent is at least 1; the rank is 1 (vector) or 3 (HWC)
///              C2  no operands
struct Input {
  static constexpr std::string_view Mnemonic = "input";
  TensorType type;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}  // the type stands behind the colon
  friend bool operator==(const Input&, const Input&) = default;
};

}  // namespace millrace::graph
