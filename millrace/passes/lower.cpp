// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/lower.h"

#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"

namespace millrace::passes {

std::string place_of(const graph::Op& op) {
  return op.where.empty() ? "%" + op.name : op.where;
}

Status check_exact(const Graph& graph) {
  for (const graph::Op& op : graph.ops()) {
    if (const auto* requantize = op.as<graph::Requantize>();
        requantize && !requantize->steps.empty())
      return error(messages::StepRemains, place_of(op), op.name, requantize->steps.front());
    if (!op.type.is_fixed())
      return error(messages::MissingQuantizer, place_of(op), op.name, op.mnemonic());
  }
  return {};
}

Result<Graph> lower(const Graph& imported, const LowerOptions& options) {
  Graph graph = imported;
  using Pass = Result<Graph> (*)(const Graph&);
  // Constants are narrow before tables are made: the types that tables read follow from them.
  constexpr Pass Passes[] = {quantize_inputs,  fold_constants,     fold_affine,       carry_scales,
                             narrow_constants, relax_accumulators, quantize_averages, lower_softmax,
                             make_tables,      drop_identities};
  if (options.logits) {
    MR_TRY(graph, drop_final_sigmoid(graph));
  }
  for (const Pass pass : Passes) {
    MR_TRY(graph, pass(graph));
  }
  MR_TRY_STATUS(check_exact(graph));
  return graph;
}

}  // namespace millrace::passes
