// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
namespace {

using graph::Op;
using graph::ValueId;

// True for operations that move elements, and may add zeros: quantising before and behind them is
// the same.
bool moves(const Op& op) {
  return op.as<graph::Flatten>() || op.as<graph::Pad>() || op.as<graph::Reshape>() ||
         op.as<graph::Slice>() || op.as<graph::Transpose>() || op.as<graph::Upsample>();
}

}  // namespace

Result<Graph> quantize_averages(const Graph& graph) {
  Rewrite rewrite(graph);
  const auto users = graph.users();
  const auto is_used_once = [&](ValueId value) {
    return users[static_cast<size_t>(value)].size() == 1 && !graph.is_output(value);
  };
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    // A mean has one quantiser for all channels.
    if (!quantizer || !quantizer->types.empty() || !quantizer->steps.empty())
      continue;
    ValueId value = op.operands[0];
    while (moves(graph.op(value)) && is_used_once(value))
      value = graph.op(value).operands[0];
    const Op& mean = graph.op(value);
    const auto* const pool = mean.as<graph::AvgPool>();
    if (!pool || pool->to || !graph.type(mean.operands[0]).is_fixed())
      continue;  // check_exact() says what is missing before it
    graph::AvgPool quantized = *pool;
    quantized.to = quantizer->to;
    if (value == op.operands[0]) {
      rewrite.replace(static_cast<ValueId>(i), mean.name, quantized, mean.operands);
    } else if (is_used_once(value)) {
      rewrite.replace(value, mean.name, quantized, mean.operands);
      rewrite.forward(static_cast<ValueId>(i), op.operands[0]);
    }
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
