// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/concat.h"

#include <algorithm>

#include "millrace/graph/messages.h"

namespace millrace::graph {
namespace {

// The narrowest type that holds every number of every operand's type.
std::optional<FixedType> common_type(Operands operands) {
  int frac_bits = operands[0].type->fixed().frac_bits;
  for (const Operand& operand : operands)
    frac_bits = std::max(frac_bits, operand.type->fixed().frac_bits);
  Int128 lo = 0;
  Int128 hi = 0;
  for (const Operand& operand : operands) {
    const FixedType& type = operand.type->fixed();
    const int shift = frac_bits - type.frac_bits;
    if (shift >= FixedType::MaxWidth)  // every type has a number other than 0
      return std::nullopt;
    lo = std::min(lo, type.min_raw() * (Int128{1} << shift));
    hi = std::max(hi, type.max_raw() * (Int128{1} << shift));
  }
  const auto type = narrowest_type(lo, hi, frac_bits);
  if (type && !type->is_signed && type->width == FixedType::MaxWidth)
    return std::nullopt;  // raw integers are held in int64_t
  return type;
}

}  // namespace

Result<TensorType> Concat::infer(Operands operands, const std::string& where) const {
  const auto fits = [&](const Operand& operand) {
    const Shape& first = operands[0].type->shape;
    const Shape& shape = operand.type->shape;
    return shape.size() == first.size() &&
           std::equal(shape.begin(), shape.end() - 1, first.begin());
  };
  const size_t rank = operands.empty() ? 0 : operands[0].type->shape.size();
  if (operands.size() < 2 || (rank != 1 && rank != 3) ||
      !std::all_of(operands.begin(), operands.end(), fits))  // concat_c1
    return error(messages::ConcatC1, where, to_string(operands));
  TensorType result{operands[0].type->shape, std::nullopt};
  result.shape.back() = 0;
  for (const Operand& operand : operands)
    result.shape.back() += operand.type->shape.back();
  const auto is_fixed = [](const Operand& operand) { return operand.type->is_fixed(); };
  if (!std::all_of(operands.begin(), operands.end(), is_fixed))
    return result;
  result.element = common_type(operands);
  if (!result.element)  // concat_c2
    return error(messages::ConcatC2, where, to_string(operands));
  return result;
}

}  // namespace millrace::graph
