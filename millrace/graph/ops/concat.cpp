// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/concat.h"

#include <algorithm>
#include <vector>

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/requantize.h"

namespace millrace::graph {

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
  std::vector<FixedType> types;
  for (const Operand& operand : operands) {
    if (!operand.type->is_fixed())
      return result;
    types.push_back(operand.type->fixed());
  }
  result.element = common_type(types);
  if (!result.element)  // concat_c2
    return error(messages::ConcatC2, where, to_string(operands));
  return result;
}

}  // namespace millrace::graph
