// SPDX-License-Identifier: Apache-2.0
// An accumulator that keeps all fraction bits adds integers. As long as no partial sum overflows,
// it is exact; where it wraps around, so may the exact sum at its end: additions modulo 2^W give
// the same in any order and however often they are reduced.
#include "millrace/graph/accumulator.h"
#include "millrace/graph/ops/linear_range.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
namespace {

using graph::Op;
using graph::Operand;
using graph::ValueId;

// True when every number of `type` is one of the accumulator's, and stays as it is there.
bool holds(const Quantizer& accumulator, const FixedType& type) {
  const int gained = accumulator.type.frac_bits - type.frac_bits;
  if (gained < 0 || gained >= FixedType::MaxWidth)
    return false;
  const bool symmetric =
      accumulator.overflow == Overflow::SaturateSymmetric && accumulator.type.is_signed;
  const Int128 lo = symmetric ? -accumulator.type.max_raw() : accumulator.type.min_raw();
  return lo <= type.min_raw() * (Int128{1} << gained) &&
         type.max_raw() * (Int128{1} << gained) <= accumulator.type.max_raw();
}

Operand operand_of(const Graph& graph, ValueId value) {
  return {&graph.type(value), graph.op(value).as<graph::Constant>()};
}

// What an accumulator does to the sums of a layer.
enum class Effect { None, Wraps, Loses };

// Every product's range includes 0: so does that of their sum without the bias, which therefore
// covers each product, as the sum with the bias covers each partial sum.
Effect effect_on_sums(const Graph& graph, const Op& op, const Quantizer& accumulator) {
  const Operand x = operand_of(graph, op.operands[0]), w = operand_of(graph, op.operands[1]),
                b = operand_of(graph, op.operands[2]);
  const int64_t num_sums = w.type->shape.back();
  const int64_t num_products = num_elements(w.type->shape) / num_sums;
  const graph::Constant no_bias{
      *b.type, std::vector<int64_t>(static_cast<size_t>(num_elements(b.type->shape)), 0)};
  const auto sums = graph::linear_sum_type(x, w, b, num_products, num_sums);
  const auto products =
      graph::linear_sum_type(x, w, {&no_bias.type, &no_bias}, num_products, num_sums);
  if (!sums || !products || sums->frac_bits > accumulator.type.frac_bits)
    return Effect::Loses;
  if (holds(accumulator, *sums) && holds(accumulator, *products) &&
      holds(accumulator, b.type->fixed()))
    return Effect::None;
  return accumulator.overflow == Overflow::Wrap ? Effect::Wraps : Effect::Loses;
}

template <class Layer>
void relax_sums(Rewrite& rewrite, ValueId value, Layer layer) {
  const Graph& graph = rewrite.before();
  const Op& op = graph.op(value);
  for (const ValueId operand : op.operands)
    if (!graph.type(operand).is_fixed())
      return;
  const Quantizer accumulator = *layer.accumulate;
  const Effect effect = effect_on_sums(graph, op, accumulator);
  layer.accumulate.reset();
  if (effect == Effect::None) {
    rewrite.replace(value, op.name, layer, op.operands);
  } else if (effect == Effect::Wraps) {
    const ValueId exact = rewrite.add(op.name, layer, op.operands);
    rewrite.replace(value, op.name + ".accumulator", graph::Requantize{accumulator}, {exact});
  }
}

// The quotient of an exact sum is rounded as that of the accumulator.
void relax_mean(Rewrite& rewrite, ValueId value, graph::AvgPool pool) {
  const Graph& graph = rewrite.before();
  const Op& op = graph.op(value);
  const FixedType& x = graph.type(op.operands[0]).fixed();
  const Int128 taps = pool.window.kernel_h * pool.window.kernel_w;
  const auto sum = narrowest_type(x.min_raw() * taps, x.max_raw() * taps, x.frac_bits);
  if (!sum || !holds(*pool.to, *sum))
    return;
  pool.to->rounding = Rounding::TowardsZero;
  pool.accumulate = false;
  rewrite.replace(value, op.name, pool, op.operands);
}

}  // namespace

Result<Graph> relax_accumulators(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const auto value = static_cast<ValueId>(i);
    const Op& op = graph.op(value);
    if (!graph::accumulator_of(op))
      continue;
    if (const auto* const dense = op.as<graph::Dense>())
      relax_sums(rewrite, value, *dense);
    else if (const auto* const conv = op.as<graph::Conv2D>())
      relax_sums(rewrite, value, *conv);
    else if (const auto* const pool = op.as<graph::AvgPool>())
      relax_mean(rewrite, value, *pool);
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
