// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/exact_constants.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "millrace/passes/dyadic.h"
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"

namespace millrace::passes {
namespace {

// What an operand is to an operation.
enum class Role { None, Weights, Addend };

Role role_of(const graph::Op& user, size_t operand) {
  const bool has_weights =
      user.as<graph::Conv2D>() || user.as<graph::ConvTranspose2D>() || user.as<graph::Dense>();
  if (operand == 1 && has_weights)
    return Role::Weights;
  if (operand >= 1 && (has_weights || user.as<graph::Affine>()))
    return Role::Addend;
  const bool is_binary =
      std::visit(graph::Overloaded{
                     []<graph::BinaryFunction F>(const graph::Binary<F>&) { return true; },
                     [](const graph::Prelu&) { return true; }, [](const auto&) { return false; }},
                 user.kind);
  if (is_binary)
    return Role::Addend;
  return Role::None;
}

}  // namespace

std::optional<graph::Constant> exact_constant(const graph::Constant& constant) {
  constexpr int MantissaBits = std::numeric_limits<double>::digits;
  const auto type =
      constant.type.is_fixed() ? std::nullopt : exact_type(constant.real(), MantissaBits);
  if (type) {
    graph::Constant exact{{constant.type.shape, type}, {}};
    if (!exact.type.verify({}))
      return std::nullopt;
    const double scale = std::ldexp(1.0, type->frac_bits);
    std::vector<int64_t> raw(constant.real().size());
    std::ranges::transform(constant.real(), raw.begin(),
                           [scale](double number) { return static_cast<int64_t>(number * scale); });
    exact.value = std::move(raw);
    return exact;
  }
  auto values = exact_values(constant);
  return values ? narrowest_constant(constant.type.shape, *std::move(values)) : std::nullopt;
}

bool is_quantized(const graph::Constant& constant) {
  return constant.type.is_fixed() || exact_type(constant.real(), MaxExactWeightBits);
}

bool is_wide(const graph::Constant& constant) {
  return !is_quantized(constant) ||
         (constant.type.is_fixed() && constant.type.fixed().width > MaxExactWeightBits);
}

Result<graph::Constant> exact_operand(const Graph& graph, const graph::Op& user, size_t index) {
  const graph::Op& operand = graph.op(user.operands[index]);
  const auto& constant = std::get<graph::Constant>(operand.kind);
  const Role role = role_of(user, index);
  if (role == Role::None || constant.type.is_fixed())
    return constant;
  if (role == Role::Weights && !is_quantized(constant))
    return error(messages::UnquantizedWeights, place_of(user), operand.name, user.mnemonic(),
                 user.name, MaxExactWeightBits);
  auto exact = exact_constant(constant);
  if (!exact)
    return error(messages::UnquantizedConstant, place_of(user), operand.name, user.mnemonic(),
                 user.name);
  return *std::move(exact);
}

}  // namespace millrace::passes
