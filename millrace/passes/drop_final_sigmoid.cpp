// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {

using graph::ValueId;

Result<Graph> drop_final_sigmoid(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    ValueId value = graph.outputs()[i];
    if (graph.op(value).as<graph::Requantize>() &&
        graph.op(graph.op(value).operands[0]).as<graph::Sigmoid>())
      value = graph.op(value).operands[0];
    if (graph.op(value).as<graph::Sigmoid>() || graph.op(value).as<graph::Table>())
      rewrite.set_output(i, graph.op(value).operands[0]);
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
