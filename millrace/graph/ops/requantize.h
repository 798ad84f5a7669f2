// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Changes the element type of a tensor. With `table` and the quantiser of `avg_pool` the only
/// operation that loses precision.
///
///     %y = requantize %x {rounding = RND_CONV, overflow = SAT} : tensor<26x26x4 x ufixed<9,4>>
///
/// Semantics    y[i] = overflow(round(x[i])), millrace::requantize()
/// Constraints  C1  one operand
struct Requantize {
  static constexpr std::string_view Mnemonic = "requantize";
  Quantizer to;  ///< the type is printed behind the colon, the modes as attributes

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("rounding", self.to.rounding);
    visitor("overflow", self.to.overflow);
  }
  friend bool operator==(const Requantize&, const Requantize&) = default;
};

}  // namespace millrace::graph
