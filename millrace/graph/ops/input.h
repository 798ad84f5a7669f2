// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A tensor that the graph is given.
///
///     %image = input : tensor<28x28x1 x ufixed<8,0>>
///     %scaled = input {step = 0.0123} : tensor<28x28x1 x ufixed<8,8>>
///
/// With a step, whoever feeds the graph gives the number of steps in a real number, as a
/// requantize with this step would. The graph itself computes with what it is given.
///
/// Constraints  C1  every extent is at least 1; the rank is 1 (vector) or 3 (HWC)
///              C2  no operands
///              C3  a step is finite and more than 0; the type is fixed
struct Input {
  static constexpr std::string_view Mnemonic = "input";
  TensorType type;
  std::optional<double> step = {};

  /// The real number that 1 stands for.
  double unit() const { return step.value_or(1); }

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {  // the type is behind the colon
    visitor("step", self.step);
  }
  friend bool operator==(const Input&, const Input&) = default;
};

}  // namespace millrace::graph
