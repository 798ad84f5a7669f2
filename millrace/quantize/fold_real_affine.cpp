// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"
#include "millrace/quantize/assign_types.h"

namespace millrace::quantize {
namespace {

using graph::Constant;
using graph::Graph;
using graph::Op;
using graph::ValueId;

const Constant* real_constant(const Graph& graph, ValueId value) {
  const auto* const constant = graph.op(value).as<Constant>();
  return constant && !constant->type.is_fixed() ? constant : nullptr;
}

// The numbers times the scale of their output, their last index, plus its offset.
Constant scaled(const Constant& constant, const std::vector<double>& scale,
                const std::vector<double>& offset) {
  std::vector<double> values = constant.real();
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = values[i] * scale[i % scale.size()] + offset[i % offset.size()];
  return {constant.type, std::move(values)};
}

// Folds one affine, the first that can be.
Result<std::optional<Graph>> fold_one(const Graph& graph,
                                      const std::function<bool(const Op& layer)>& folds) {
  const auto users = graph.users();
  for (ValueId affine = 0; affine < static_cast<ValueId>(graph.ops().size()); ++affine) {
    const Op& op = graph.op(affine);
    if (!op.as<graph::Affine>())
      continue;
    const ValueId x = op.operands[0];
    const Op& layer = graph.op(x);
    const bool is_linear =
        layer.as<graph::Conv2D>() || layer.as<graph::ConvTranspose2D>() || layer.as<graph::Dense>();
    if (!is_linear || users[static_cast<size_t>(x)].size() != 1 || graph.is_output(x) ||
        (folds && !folds(layer)))
      continue;
    const auto *const scale = real_constant(graph, op.operands[1]),
                      *const offset = real_constant(graph, op.operands[2]),
                      *const weights = real_constant(graph, layer.operands[1]),
                      *const bias = real_constant(graph, layer.operands[2]);
    if (!scale || !offset || !weights || !bias || passes::is_quantized(*weights))
      continue;
    passes::Rewrite rewrite(graph);
    const ValueId new_weights =
        rewrite.add(graph.op(layer.operands[1]).name, scaled(*weights, scale->real(), {0}));
    const ValueId new_bias =
        rewrite.add(graph.op(layer.operands[2]).name, scaled(*bias, scale->real(), offset->real()));
    rewrite.replace(affine, layer.name, layer.kind, {layer.operands[0], new_weights, new_bias});
    MR_TRY(Graph folded, std::move(rewrite).finish());
    return folded;
  }
  return std::nullopt;
}

}  // namespace

Result<Graph> fold_real_affine(const Graph& graph,
                               const std::function<bool(const Op& layer)>& folds) {
  Graph folded = graph;
  for (;;) {
    MR_TRY(auto next, fold_one(folded, folds));
    if (!next)
      return folded;
    folded = *std::move(next);
  }
}

}  // namespace millrace::quantize
