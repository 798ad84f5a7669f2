// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {

using graph::ValueId;

Result<Graph> quantize_inputs(const Graph& graph) {
  Rewrite rewrite(graph);
  const auto users = graph.users();
  for (ValueId input : graph.inputs()) {
    const graph::Op& op = graph.op(input);
    const auto& uses = users[static_cast<size_t>(input)];
    if (op.type.is_fixed() || uses.empty() || graph.is_output(input))
      continue;
    const auto* const first = graph.op(uses.front()).as<graph::Requantize>();
    const auto is_like_first = [&](ValueId use) {
      const auto* const requantize = graph.op(use).as<graph::Requantize>();
      return requantize && *requantize == *first;
    };
    if (!first || first->steps.size() > 1 || !std::all_of(uses.begin(), uses.end(), is_like_first))
      continue;
    graph::Input quantized{{op.type.shape, first->to.type}};
    if (!first->steps.empty())
      quantized.step = first->steps.front();
    rewrite.replace(input, op.name, quantized, {});
    // Types of single channels stay: the input has only the type that they have in common.
    if (first->types.empty())
      for (ValueId use : uses)
        rewrite.forward(use, input);
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
