// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A function of one number whose results are real numbers.
enum class UnaryFunction {
  Sigmoid,      ///< 1 / (1 + exp(-x))
  Tanh,         ///< tanh(x)
  Exp,          ///< exp(x)
  Log,          ///< ln(x)
  Gelu,         ///< x / 2 * (1 + erf(x / sqrt(2)))
  GeluTanh,     ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
  Silu,         ///< x / (1 + exp(-x))
  Softplus,     ///< ln(1 + exp(x))
  Softsign,     ///< x / (1 + |x|)
  Elu,          ///< x >= 0 ? x : alpha * (exp(x) - 1); alpha = 1
  Selu,         ///< beta * (x >= 0 ? x : alpha * (exp(x) - 1)); alpha = 1.6732..., beta = 1.0507...
  Erf,          ///< erf(x)
  Sqrt,         ///< sqrt(x)
  Rsqrt,        ///< 1 / sqrt(x)
  Reciprocal,   ///< 1 / x
  HardSigmoid,  ///< max(0, min(1, alpha * x + beta)); alpha = 0.2, beta = 0.5
  HardTanh,     ///< max(alpha, min(beta, x)); alpha = -1, beta = 1
  HardSwish,    ///< x * max(0, min(1, x / 6 + 1 / 2))
  Mish,         ///< x * tanh(ln(1 + exp(x)))
};
inline constexpr int NumUnaryFunctions = static_cast<int>(UnaryFunction::Mish) + 1;

/// "sigmoid", "gelu_tanh", ...
std::string_view to_string(UnaryFunction function);
std::optional<UnaryFunction> parse_unary_function(std::string_view name);
/// The parameters of a function where none are given; no value where it has none.
std::optional<double> default_alpha(UnaryFunction function);
std::optional<double> default_beta(UnaryFunction function);

/// A real function of each element: a `requantize` behind it makes it a `table`
/// (passes/make_tables.cpp).
///
///     %y = unary %x {function = tanh} : tensor<10 x real>
///     %z = unary %x {function = hard_sigmoid, alpha = 0.25} : tensor<10 x real>
///
/// Where there is no number, that of a circuit is this: infinities (reciprocal, rsqrt and log of 0;
/// also results of magnitude 2^99 or more, in steps of the quantiser behind) become the largest or
/// the smallest number of the quantiser, with SAT_ZERO 0, with SAT_SYM the symmetric one; the
/// undefined (log, sqrt and rsqrt of negative numbers) becomes 0.
///
/// Constraints  C1  one operand
///              C2  alpha and beta are given only to functions that have them; each is 0 or of
///                  magnitude 2^-30 to 2^30; hard_tanh's alpha is at most its beta
struct Unary {
  static constexpr std::string_view Mnemonic = "unary";
  UnaryFunction function = UnaryFunction::Sigmoid;
  std::optional<double> alpha = {}, beta = {};  ///< where they are not the defaults

  double alpha_or_default() const { return alpha.value_or(default_alpha(function).value_or(0)); }
  double beta_or_default() const { return beta.value_or(default_beta(function).value_or(0)); }

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("function", self.function);
    visitor("alpha", self.alpha);
    visitor("beta", self.beta);
  }
  friend bool operator==(const Unary&, const Unary&) = default;
};

}  // namespace millrace::graph
