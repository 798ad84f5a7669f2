// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// y[..,c] = exp(x[..,c]) / sum over d of exp(x[..,d]), a real number: a `requantize` behind it
/// makes it exact operations (passes/lower_softmax.cpp, which bounds the error).
///
///     %y = softmax %x : tensor<10 x real>
///
/// Constraints  C1  one operand
struct Softmax {
  static constexpr std::string_view Mnemonic = "softmax";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Softmax&, const Softmax&) = default;
};

}  // namespace millrace::graph
