// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A part of a tensor: of a map some rows, columns and channels, of a vector some elements.
///
///     %y = slice %x {begin = [1, 1, 0], size = [12, 12, 2]} : tensor<12x12x2 x ufixed<9,4>>
///     %y = slice %v {begin = [0], size = [10]} : tensor<10 x fixed<9,4>>
///
/// Semantics    y[i,j,k] = x[begin[0]+i, begin[1]+j, begin[2]+k]; y[i] = x[begin[0]+i]
/// Constraints  C1  one operand of rank 1 or 3
///              C2  begin and size have one number for each extent; begins are at least 0, sizes at
///                  least 1, and the part lies inside x
/// Result type  x's element type
struct Slice {
  static constexpr std::string_view Mnemonic = "slice";
  std::vector<int64_t> begin;
  Shape size;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("begin", self.begin);
    visitor("size", self.size);
  }
  friend bool operator==(const Slice&, const Slice&) = default;
};

}  // namespace millrace::graph
