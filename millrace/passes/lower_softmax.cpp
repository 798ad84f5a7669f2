// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/lower_softmax.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/real_function.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
namespace {

using graph::ValueId;

constexpr FixedType ufixed(int int_bits, int frac_bits) {
  return {.is_signed = false, .width = int_bits + frac_bits, .frac_bits = frac_bits};
}

// exp of the differences. The only ones that occur are -(2^width - 1) .. 0 steps, of which the
// lowest `width` bits say which it is: code 0 is 0, every other code is code - 2^width.
std::vector<int64_t> exp_table(int width, int frac_bits, const Quantizer& to) {
  std::vector<int64_t> table;
  const int64_t size = int64_t{1} << width;
  for (int64_t code = 0; code < size; ++code)
    table.push_back(quantized_function({graph::UnaryFunction::Exp}, code == 0 ? 0 : code - size,
                                       frac_bits, to));
  return table;
}

// Adds everything before the last rounding; gives e * r.
ValueId add_quotients(Rewrite& rewrite, const std::string& name, ValueId x, const FixedType& from,
                      const SoftmaxPrecision& precision) {
  const FixedType code = {.is_signed = false, .width = from.width, .frac_bits = from.frac_bits};
  const Quantizer exponential = {ufixed(1, precision.exp_frac_bits)};
  const Quantizer total = {ufixed(precision.sum_int_bits, precision.sum_frac_bits)};
  const Quantizer reciprocal = {ufixed(1, precision.reciprocal_frac_bits)};
  const graph::Unary inverse = {graph::UnaryFunction::Reciprocal};

  const ValueId m = rewrite.add(name + ".max", graph::Reduce{graph::ReduceFunction::Max}, {x});
  const ValueId d = rewrite.add(name + ".difference", graph::Sub{}, {x, m});
  const ValueId c =
      rewrite.add(name + ".code", graph::Requantize{{code, Rounding::Floor, Overflow::Wrap}}, {d});
  const ValueId e = rewrite.add(
      name + ".exp",
      graph::Table{exponential.type, exp_table(code.width, code.frac_bits, exponential)}, {c});
  const ValueId s = rewrite.add(name + ".sum", graph::Reduce{graph::ReduceFunction::Sum}, {e});
  const ValueId q = rewrite.add(name + ".rounded", graph::Requantize{total}, {s});
  const ValueId r = rewrite.add(
      name + ".reciprocal",
      graph::Table{reciprocal.type, function_table(inverse, total.type, reciprocal)}, {q});
  return rewrite.add(name, graph::Mul{}, {e, r});
}

}  // namespace

SoftmaxPrecision softmax_precision(int64_t channels, int result_frac_bits) {
  const int frac_bits = std::max(result_frac_bits, 0);
  const int int_bits = static_cast<int>(std::bit_width(static_cast<uint64_t>(channels)));
  const int growth =
      static_cast<int>(std::bit_width(static_cast<uint64_t>(channels - 1)));  // ceil(log2 C)
  SoftmaxPrecision precision{
      .exp_frac_bits = frac_bits + 2 + growth,
      .sum_frac_bits = std::min(frac_bits + 2, graph::Table::MaxInputWidth - int_bits),
      .sum_int_bits = int_bits,
      .reciprocal_frac_bits = frac_bits + 2};
  const auto half_step = [](int bits) { return std::ldexp(0.5, -bits); };
  precision.error_bound = static_cast<double>(channels + 1) * half_step(precision.exp_frac_bits) +
                          half_step(precision.sum_frac_bits) +
                          half_step(precision.reciprocal_frac_bits);
  return precision;
}

Result<Graph> lower_softmax(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer || !graph.op(op.operands[0]).as<graph::Softmax>())
      continue;
    const graph::Op& softmax = graph.op(op.operands[0]);
    const ValueId x = softmax.operands[0];
    if (!graph.type(x).is_fixed())
      continue;  // check_exact() says what is missing before it
    const FixedType& from = graph.type(x).fixed();
    const FixedType& to = quantizer->to.type;
    const int64_t channels = softmax.type.shape.back();
    if (from.width > graph::Table::MaxInputWidth)
      return error(messages::TableTooWide, place_of(softmax), softmax.name, from.to_string(),
                   graph::Table::MaxInputWidth);
    if (channels > MaxSoftmaxChannels || from.frac_bits > MaxTableFracBits ||
        to.frac_bits > MaxSoftmaxFracBits)
      return error(messages::SoftmaxLimit, place_of(softmax), softmax.name, from.to_string(),
                   to.to_string(), channels);
    const ValueId quotients =
        add_quotients(rewrite, softmax.name, x, from, softmax_precision(channels, to.frac_bits));
    rewrite.replace(static_cast<ValueId>(i), op.name, *quantizer, {quotients});
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
