// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// y[i] = max(x[i], 0).
///
///     %y = relu %x : tensor<26x26x4 x ufixed<16,4>>
///
/// Constraints  C1  one operand
/// Result type  the narrowest unsigned type with x's fraction bits that holds x's largest value
struct Relu {
  static constexpr std::string_view Mnemonic = "relu";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Relu&, const Relu&) = default;
};

}  // namespace millrace::graph
