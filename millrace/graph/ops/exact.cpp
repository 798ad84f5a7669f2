// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/exact.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/range.h"
#include "millrace/support/check.h"

namespace millrace::graph {
namespace {

std::optional<FixedType> result_element(ExactFunction function, const Operand& operand) {
  const Range x = range_of(operand);
  const int frac = operand.type->fixed().frac_bits;
  const bool includes_zero = x.lo <= 0 && x.hi >= 0;
  const Int128 smallest = includes_zero ? Int128{0}
                                        : std::min(x.lo < 0 ? -x.lo : x.lo,  //
                                                   x.hi < 0 ? -x.hi : x.hi);
  const Int128 largest = std::max(-x.lo, x.hi);
  switch (function) {
    case ExactFunction::Abs:
      return narrowest_tensor_element({smallest, largest}, frac);
    case ExactFunction::Negate:
      return narrowest_tensor_element({-x.hi, -x.lo}, frac);
    case ExactFunction::Sign:
      return narrowest_tensor_element({x.lo < 0 ? -1 : x.lo > 0, x.hi < 0 ? -1 : x.hi > 0}, 0);
    case ExactFunction::Binarize:
      return narrowest_tensor_element({x.lo < 0 ? -1 : 1, x.hi < 0 ? -1 : 1}, 0);
    case ExactFunction::Square:
      return narrowest_tensor_element({smallest * smallest, largest * largest}, 2 * frac);
  }
  check(false, "unknown function of one number");
  return std::nullopt;
}

}  // namespace

Result<TensorType> infer_exact(ExactFunction function, Operands operands,
                               const std::string& where) {
  if (operands.size() != 1)  // exact_c1
    return error(messages::ExactC1, where, to_string(function), operands.size());
  TensorType result{operands[0].type->shape, std::nullopt};
  if (!operands[0].type->is_fixed())
    return result;
  result.element = result_element(function, operands[0]);
  if (!result.element)  // exact_c2
    return error(messages::ExactC2, where, to_string(function));
  return result;
}

}  // namespace millrace::graph
