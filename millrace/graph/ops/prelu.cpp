// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/prelu.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/range.h"
#include "millrace/support/check.h"

namespace millrace::graph {
namespace {

std::optional<FixedType> result_element(const Operand& x, const Operand& alpha) {
  const int x_frac = x.type->fixed().frac_bits;
  const int product_frac = x_frac + alpha.type->fixed().frac_bits;
  const int frac = std::max(x_frac, product_frac);
  const Range range = range_of(x);
  std::optional<Range> result;
  if (range.hi >= 0) {
    result = shifted_left({std::max(range.lo, Int128{0}), range.hi}, frac - x_frac);
    if (!result)
      return std::nullopt;
  }
  if (range.lo < 0) {
    const Range negative = {range.lo, std::min(range.hi, Int128{-1})};
    const auto scaled = shifted_left(product(negative, range_of(alpha)), frac - product_frac);
    if (!scaled)
      return std::nullopt;
    if (result)
      result->include(*scaled);
    else
      result = scaled;
  }
  check(result.has_value(), "a range without numbers");
  return narrowest_tensor_element(*result, frac);
}

}  // namespace

Result<TensorType> Prelu::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 2)  // prelu_c1
    return error(messages::PreluC1, where, to_string(operands));
  TensorType result{operands[0].type->shape, std::nullopt};
  const Shape& alpha = operands[1].type->shape;
  if (alpha != Shape{result.shape.back()} && alpha != Shape{1})  // prelu_c1
    return error(messages::PreluC1, where, to_string(operands));
  if (!operands[0].type->is_fixed() || !operands[1].type->is_fixed())
    return result;
  result.element = result_element(operands[0], operands[1]);
  if (!result.element)  // prelu_c2
    return error(messages::PreluC2, where);
  return result;
}

}  // namespace millrace::graph
