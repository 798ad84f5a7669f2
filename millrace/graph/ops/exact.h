// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A function of one number whose result needs no rounding.
enum class ExactFunction { Abs, Negate, Sign, Binarize, Square };

/// "abs", "negate", "sign", "binarize", "square": also the mnemonics.
constexpr std::string_view to_string(ExactFunction function) {
  constexpr std::string_view Names[] = {"abs", "negate", "sign", "binarize", "square"};
  return Names[static_cast<size_t>(function)];
}

/// A function of each element that needs no rounding, and so no quantiser behind it.
///
///     %y = abs %x : tensor<10 x ufixed<9,4>>
///     %s = sign %x : tensor<10 x fixed<2,2>>
///
/// Semantics    y = |x|, -x, x > 0 ? 1 : x < 0 ? -1 : 0, x >= 0 ? 1 : -1, x * x
/// Constraints  C1  one operand
///              C2  where it is fixed, every result fits 64 bits
/// Result type  real where x is. Else exact: x's fraction bits (twice them for square, 0 for sign
///              and binarize) and the narrowest range that follows from x's type.
template <ExactFunction F>
struct Exact {
  static constexpr ExactFunction Function = F;
  static constexpr std::string_view Mnemonic = to_string(F);

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Exact&, const Exact&) = default;
};

using Abs = Exact<ExactFunction::Abs>;
using Negate = Exact<ExactFunction::Negate>;
using Sign = Exact<ExactFunction::Sign>;
using Binarize = Exact<ExactFunction::Binarize>;
using Square = Exact<ExactFunction::Square>;

/// What Exact::infer() says.
Result<TensorType> infer_exact(ExactFunction function, Operands operands, const std::string& where);

template <ExactFunction F>
Result<TensorType> Exact<F>::infer(Operands operands, const std::string& where) const {
  return infer_exact(F, operands, where);
}

}  // namespace millrace::graph
