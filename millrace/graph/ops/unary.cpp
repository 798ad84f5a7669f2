// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/unary.h"

#include <array>
#include <cmath>

#include "millrace/graph/messages.h"

namespace millrace::graph {
namespace {

struct Row {
  std::string_view name;
  std::optional<double> alpha = {}, beta = {};
};

// By UnaryFunction. The constants of selu are those of ONNX: the nearest float32 numbers.
constexpr std::array<Row, NumUnaryFunctions> Rows = {{
    {"sigmoid"},
    {"tanh"},
    {"exp"},
    {"log"},
    {"gelu"},
    {"gelu_tanh"},
    {"silu"},
    {"softplus"},
    {"softsign"},
    {"elu", 1.0},
    {"selu", 1.67326319217681884765625, 1.05070102214813232421875},
    {"erf"},
    {"sqrt"},
    {"rsqrt"},
    {"reciprocal"},
    {"hard_sigmoid", 0.2, 0.5},
    {"hard_tanh", -1.0, 1.0},
    {"hard_swish"},
    {"mish"},
}};

const Row& row_of(UnaryFunction function) {
  return Rows.at(static_cast<size_t>(function));
}

bool is_usable(const std::optional<double>& given, const std::optional<double>& by_default) {
  if (!given)
    return true;
  const double magnitude = std::abs(*given);
  return by_default && (magnitude == 0 || (magnitude >= 0x1p-30 && magnitude <= 0x1p30));
}

}  // namespace

std::string_view to_string(UnaryFunction function) {
  return row_of(function).name;
}

std::optional<UnaryFunction> parse_unary_function(std::string_view name) {
  for (size_t i = 0; i < Rows.size(); ++i)
    if (Rows[i].name == name)
      return static_cast<UnaryFunction>(i);
  return std::nullopt;
}

std::optional<double> default_alpha(UnaryFunction function) {
  return row_of(function).alpha;
}

std::optional<double> default_beta(UnaryFunction function) {
  return row_of(function).beta;
}

Result<TensorType> Unary::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // unary_c1
    return error(messages::UnaryC1, where, to_string(function), operands.size());
  const bool is_empty =
      function == UnaryFunction::HardTanh && alpha_or_default() > beta_or_default();
  if (!is_usable(alpha, default_alpha(function)) || !is_usable(beta, default_beta(function)) ||
      is_empty)  // unary_c2
    return error(messages::UnaryC2, where, to_string(function));
  return TensorType{operands[0].type->shape, std::nullopt};
}

}  // namespace millrace::graph
