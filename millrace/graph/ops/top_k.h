// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Where the k largest numbers of each place stand: their channels, the largest number's first;
/// among equal numbers the lower channel first. With k = 1 it is arg max.
///
///     %y = top_k %x {k = 3} : tensor<3 x ufixed<4,4>>
///
/// Shapes       x: any with last extent C; y: as x with last extent k
/// Constraints  C1  one operand
///              C2  1 <= k <= C
/// Result type  the narrowest unsigned integer that holds C - 1
struct TopK {
  static constexpr std::string_view Mnemonic = "top_k";
  int64_t k = 1;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("k", self.k);
  }
  friend bool operator==(const TopK&, const TopK&) = default;
};

}  // namespace millrace::graph
