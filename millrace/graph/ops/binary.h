// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A function of two numbers.
enum class BinaryFunction { Add, Sub, Mul, Maximum, Minimum };

/// "add", "sub", "mul", "maximum", "minimum": also the mnemonics.
constexpr std::string_view to_string(BinaryFunction function) {
  constexpr std::string_view Names[] = {"add", "sub", "mul", "maximum", "minimum"};
  return Names[static_cast<size_t>(function)];
}

/// A function of two values, element by element.
///
///     %y = add %a, %b : tensor<26x26x4 x fixed<10,5>>
///     %z = maximum %a, %floor : tensor<26x26x4 x fixed<9,4>>
///
/// Shapes       a, y: any with last extent C; b: as a; or C, one element for each channel; or 1; or
///              as a with last extent 1, one element for all channels of a place
/// Semantics    y = a + b, a - b, a * b, max(a, b), min(a, b)
/// Constraints  C1  two operands of such shapes
///              C2  where both are fixed, every result fits 64 bits
/// Result type  real as soon as one operand is. Else exact: a's and b's fraction bits added up for
///              mul, the larger of them for the others, and the narrowest range that follows from
///              the operands' types, or from the values of constants.
template <BinaryFunction F>
struct Binary {
  static constexpr BinaryFunction Function = F;
  static constexpr std::string_view Mnemonic = to_string(F);

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Binary&, const Binary&) = default;
};

using Add = Binary<BinaryFunction::Add>;
using Sub = Binary<BinaryFunction::Sub>;
using Mul = Binary<BinaryFunction::Mul>;
using Maximum = Binary<BinaryFunction::Maximum>;
using Minimum = Binary<BinaryFunction::Minimum>;

/// What Binary::infer() says.
Result<TensorType> infer_binary(BinaryFunction function, Operands operands,
                                const std::string& where);

template <BinaryFunction F>
Result<TensorType> Binary<F>::infer(Operands operands, const std::string& where) const {
  return infer_binary(F, operands, where);
}

}  // namespace millrace::graph
