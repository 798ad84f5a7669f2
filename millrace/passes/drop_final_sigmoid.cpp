// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {

using graph::ValueId;

namespace {

bool is_sigmoid(const graph::Op& op) {
  const auto* const unary = op.as<graph::Unary>();
  return unary && unary->function == graph::UnaryFunction::Sigmoid;
}

}  // namespace

Result<Graph> drop_final_sigmoid(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    ValueId value = graph.outputs()[i];
    if (graph.op(value).as<graph::Requantize>() &&
        is_sigmoid(graph.op(graph.op(value).operands[0])))
      value = graph.op(value).operands[0];
    if (is_sigmoid(graph.op(value)) || graph.op(value).as<graph::Table>())
      rewrite.set_output(i, graph.op(value).operands[0]);
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
