// SPDX-License-Identifier: Apache-2.0
#include <boost/multiprecision/cpp_bin_float.hpp>

#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
namespace {

// 168 bits, of which 2^16 products lose 16. The hardest entries to round lie near x = 0, where
// sigmoid(x) = 1/2 + x/4 - x^3/48 + ...: the cubic term says on which side of half way they are.
// With 40 fraction bits it is above 2^-126.
using Real = boost::multiprecision::cpp_bin_float_50;
constexpr int MaxTableFracBits = 40;

// floor(value * 2^frac_bits) for 0 <= value < 1.
Int128 floor_scaled(const Real& value, int frac_bits) {
  const Real scaled = floor(ldexp(value, frac_bits));
  return static_cast<Int128>(scaled.convert_to<uint64_t>());
}

// Rounds a number that lies strictly between two neighbours of frac_bits fraction bits, given the
// lower one: a last bit set stands for what is behind it.
int64_t rounded(Int128 lower, int frac_bits, const Quantizer& to) {
  return static_cast<int64_t>(requantize(lower * 2 + 1, frac_bits + 1, to));
}

// Raw results of 1 / (1 + exp(-x)) for every raw x of `from`, in order.
//
// With t = 1 / (1 + exp(|x|)) it is t for negative and 1 - t for positive x. For x other than 0, t
// is irrational: it never lies on a number of the type nor half way between two. Near 0 and 1 the
// form in t keeps all digits.
std::vector<int64_t> sigmoid_table(const FixedType& from, const Quantizer& to) {
  const auto negatives = static_cast<size_t>(-from.min_raw());
  const auto positives = static_cast<size_t>(from.max_raw());
  std::vector<int64_t> table(negatives + positives + 1);
  table[negatives] = static_cast<int64_t>(requantize(Int128{1}, 1, to));  // one half

  // One bit more than the result has, so that half way is seen.
  const int frac_bits = std::max(to.type.frac_bits, 0) + 1;
  const Int128 one = Int128{1} << frac_bits;
  const Real step = exp(ldexp(Real(1), -from.frac_bits));
  Real power = 1;  // exp(|x|)
  for (size_t i = 1; i <= std::max(negatives, positives); ++i) {
    power *= step;
    const Int128 lower = floor_scaled(1 / (1 + power), frac_bits);
    if (i <= negatives)
      table[negatives - i] = rounded(lower, frac_bits, to);
    if (i <= positives)
      table[negatives + i] = rounded(one - 1 - lower, frac_bits, to);
  }
  return table;
}

}  // namespace

Result<Graph> make_tables(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer || !graph.op(op.operands[0]).as<graph::Sigmoid>())
      continue;
    const graph::Op& sigmoid = graph.op(op.operands[0]);
    const graph::ValueId x = sigmoid.operands[0];
    if (!graph.type(x).is_fixed())
      continue;  // check_exact() says what is missing before it
    const FixedType& from = graph.type(x).fixed();
    const Quantizer& to = quantizer->to;
    if (from.width > graph::Table::MaxInputWidth)
      return error(messages::TableTooWide, place_of(sigmoid), sigmoid.name, from.to_string(),
                   graph::Table::MaxInputWidth);
    if (from.frac_bits > MaxTableFracBits || to.type.frac_bits > MaxTableFracBits)
      return error(messages::TableFraction, place_of(sigmoid), sigmoid.name, from.to_string(),
                   to.type.to_string(), MaxTableFracBits);
    rewrite.replace(static_cast<graph::ValueId>(i), sigmoid.name,
                    graph::Table{to.type, sigmoid_table(from, to)}, {x});
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
