// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A feature map as a vector, in row-major HWC order (channels vary fastest).
///
///     %y = flatten %x : tensor<100 x ufixed<9,4>>
///
/// Constraints  C1  one operand
struct Flatten {
  static constexpr std::string_view Mnemonic = "flatten";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Flatten&, const Flatten&) = default;
};

}  // namespace millrace::graph
