// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// y[i] = 1 / (1 + exp(-x[i])), a real number: a `requantize` behind it makes it a `table`.
///
///     %y = sigmoid %x : tensor<1 x real>
///
/// Constraints  C1  one operand
struct Sigmoid {
  static constexpr std::string_view Mnemonic = "sigmoid";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Sigmoid&, const Sigmoid&) = default;
};

}  // namespace millrace::graph
