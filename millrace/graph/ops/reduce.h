// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// What becomes of the numbers along the last extent.
enum class ReduceFunction { Max, Sum };

/// "max", "sum".
std::string_view to_string(ReduceFunction function);
std::optional<ReduceFunction> parse_reduce_function(std::string_view name);

/// The largest, or the sum, of all channels of a place.
///
///     %y = reduce %x {function = sum} : tensor<4x4x1 x fixed<12,7>>
///
/// Shapes       x: any with last extent C; y: as x with last extent 1
/// Constraints  C1  one operand
///              C2  where it is fixed, every result fits 64 bits
/// Result type  max: x's element type; sum: real where x is, else exact: x's fraction bits, and the
///              narrowest range of C numbers of x's type
struct Reduce {
  static constexpr std::string_view Mnemonic = "reduce";
  ReduceFunction function = ReduceFunction::Max;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("function", self.function);
  }
  friend bool operator==(const Reduce&, const Reduce&) = default;
};

}  // namespace millrace::graph
