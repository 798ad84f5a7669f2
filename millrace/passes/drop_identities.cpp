// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {

Result<Graph> drop_identities(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer || !quantizer->types.empty() || !quantizer->steps.empty() ||
        graph.type(op.operands[0]).element != quantizer->to.type)
      continue;
    // Symmetric saturation changes the smallest signed number even within its own type.
    if (quantizer->to.overflow == Overflow::SaturateSymmetric && quantizer->to.type.is_signed)
      continue;
    rewrite.forward(static_cast<graph::ValueId>(i), op.operands[0]);
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
