// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/dyadic.h"
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

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
  auto values = exact_values(constant);
  return values ? narrowest_constant(constant.type.shape, *std::move(values)) : std::nullopt;
}

bool is_quantized(const graph::Constant& constant) {
  if (constant.type.is_fixed())
    return true;
  const auto exact = exact_constant(constant);
  return exact && exact->type.fixed().width <= MaxExactWeightBits;
}

Result<Graph> make_constants_exact(const Graph& graph) {
  Rewrite rewrite(graph);
  for (const graph::Op& user : graph.ops())
    for (size_t i = 0; i < user.operands.size(); ++i) {
      const graph::Op& operand = graph.op(user.operands[i]);
      const auto* const constant = operand.as<graph::Constant>();
      const Role role = role_of(user, i);
      if (role == Role::None || !constant || constant->type.is_fixed())
        continue;
      if (role == Role::Weights && !is_quantized(*constant))
        return error(messages::UnquantizedWeights, place_of(user), operand.name, user.mnemonic(),
                     user.name, MaxExactWeightBits);
      auto exact = exact_constant(*constant);
      if (!exact)
        return error(messages::UnquantizedConstant, place_of(user), operand.name, user.mnemonic(),
                     user.name);
      rewrite.replace(user.operands[i], operand.name, *std::move(exact), {});
    }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
