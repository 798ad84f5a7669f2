// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/binary.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/broadcast.h"
#include "millrace/graph/ops/range.h"
#include "millrace/support/check.h"

namespace millrace::graph {
namespace {

// The result for operands that have the same fraction bits, except for products.
Range result_range(BinaryFunction function, const Range& a, const Range& b) {
  switch (function) {
    case BinaryFunction::Add:
      return {a.lo + b.lo, a.hi + b.hi};
    case BinaryFunction::Sub:
      return {a.lo - b.hi, a.hi - b.lo};
    case BinaryFunction::Mul:
      return product(a, b);
    case BinaryFunction::Maximum:
      return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
    case BinaryFunction::Minimum:
      return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
  }
  check(false, "unknown function of two numbers");
  return {};
}

std::optional<FixedType> result_element(BinaryFunction function, const Operand& a,
                                        const Operand& b) {
  const int a_frac = a.type->fixed().frac_bits;
  const int b_frac = b.type->fixed().frac_bits;
  if (function == BinaryFunction::Mul)
    return narrowest_tensor_element(result_range(function, range_of(a), range_of(b)),
                                    a_frac + b_frac);
  const int frac = std::max(a_frac, b_frac);
  const auto aligned_a = shifted_left(range_of(a), frac - a_frac);
  const auto aligned_b = shifted_left(range_of(b), frac - b_frac);
  if (!aligned_a || !aligned_b)
    return std::nullopt;
  return narrowest_tensor_element(result_range(function, *aligned_a, *aligned_b), frac);
}

}  // namespace

Result<TensorType> infer_binary(BinaryFunction function, Operands operands,
                                const std::string& where) {
  if (operands.size() != 2 ||
      !broadcast(operands[0].type->shape, operands[1].type->shape))  // binary_c1
    return error(messages::BinaryC1, where, to_string(function), to_string(operands));
  TensorType result{operands[0].type->shape, std::nullopt};
  if (!operands[0].type->is_fixed() || !operands[1].type->is_fixed())
    return result;
  result.element = result_element(function, operands[0], operands[1]);
  if (!result.element)  // binary_c2
    return error(messages::BinaryC2, where, to_string(function));
  return result;
}

}  // namespace millrace::graph
