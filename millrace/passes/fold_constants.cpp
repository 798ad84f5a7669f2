// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
namespace {

graph::Constant requantized(const graph::Constant& constant, const graph::Requantize& quantizer) {
  const FixedType& common = quantizer.to.type;
  std::vector<int64_t> raw(static_cast<size_t>(num_elements(constant.type.shape)));
  for (size_t i = 0; i < raw.size(); ++i) {
    const Quantizer to = quantizer.at(i);
    const Int128 element =
        constant.type.is_fixed()
            ? requantize_steps(Int128{constant.raw()[i]}, constant.type.fixed().frac_bits,
                               quantizer.step(i), to)
            : requantize_steps(constant.real()[i], quantizer.step(i), to);
    raw[i] = static_cast<int64_t>(element * (Int128{1} << (common.frac_bits - to.type.frac_bits)));
  }
  return {{constant.type.shape, common}, std::move(raw)};
}

}  // namespace

Result<Graph> fold_constants(const Graph& graph) {
  Rewrite rewrite(graph);
  // Constants by value, so that a chain of quantisers folds at once.
  std::vector<std::optional<graph::Constant>> folded(graph.ops().size());
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer)
      continue;
    const graph::ValueId operand = op.operands[0];
    const auto& before = folded[static_cast<size_t>(operand)];
    const auto* const constant = before ? &*before : graph.op(operand).as<graph::Constant>();
    if (!constant)
      continue;
    folded[i] = requantized(*constant, *quantizer);
    // The constant's name says more than the quantiser's.
    graph::ValueId source = operand;
    while (!graph.op(source).as<graph::Constant>())
      source = graph.op(source).operands[0];
    rewrite.replace(static_cast<graph::ValueId>(i), graph.op(source).name, *folded[i], {});
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
