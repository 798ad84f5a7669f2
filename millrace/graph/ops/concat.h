// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Puts tensors side by side along their last axis: the channels of maps, the elements of vectors.
///
///     %y = concat %a, %b, %c : tensor<13x13x12 x fixed<9,4>>
///
/// Shapes       operands: all H x W x Ci, or all of rank 1; y: H x W x (sum of Ci)
/// Semantics    y[..,c] is the element of the operand in whose part c lies, exactly
/// Constraints  C1  at least two operands of rank 1 or 3 that differ in their last extent only
///              C2  where all operands are fixed, a type of at most 64 bits holds all their types
/// Result type  exact: the largest frac of the operands, and the narrowest width that holds every
///              number of every operand's type; real as soon as one operand is real
struct Concat {
  static constexpr std::string_view Mnemonic = "concat";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Concat&, const Concat&) = default;
};

}  // namespace millrace::graph
