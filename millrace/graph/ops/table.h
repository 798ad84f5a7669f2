// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A function of one number, as the list of its results for every input code.
///
///     %y = table %x {value = [0, 0, 1, 3]} : tensor<1 x ufixed<2,0>>
///
/// Semantics    y[i] = value[x[i] - min_raw(x)]
/// Constraints  C1  one fixed operand of at most MaxInputWidth bits
///              C2  2^width(x) entries
///              C3  every entry is a raw integer of the result's element type
struct Table {
  static constexpr std::string_view Mnemonic = "table";
  static constexpr int MaxInputWidth = 16;
  FixedType element;           ///< of the result; printed behind the colon
  std::vector<int64_t> value;  ///< raw results, in the order of the input's raw integers

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("value", self.value);
  }
  friend bool operator==(const Table&, const Table&) = default;
};

}  // namespace millrace::graph
