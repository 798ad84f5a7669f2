// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {

Result<Graph> quantize_averages(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer)
      continue;
    const graph::Op& mean = graph.op(op.operands[0]);
    const auto* const pool = mean.as<graph::AvgPool>();
    if (!pool || pool->to || !graph.type(mean.operands[0]).is_fixed())
      continue;  // check_exact() says what is missing before it
    graph::AvgPool quantized = *pool;
    quantized.to = quantizer->to;
    rewrite.replace(static_cast<graph::ValueId>(i), mean.name, quantized, mean.operands);
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
