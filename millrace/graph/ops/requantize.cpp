// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/requantize.h"

#include <cmath>

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/range.h"

namespace millrace::graph {

std::optional<FixedType> common_type(std::span<const FixedType> types) {
  if (types.empty())
    return std::nullopt;
  int frac_bits = types.front().frac_bits;
  for (const FixedType& type : types)
    frac_bits = std::max(frac_bits, type.frac_bits);
  Range common;  // every type has a 0
  for (const FixedType& type : types) {
    const auto range = shifted_left(range_of(type), frac_bits - type.frac_bits);
    if (!range)
      return std::nullopt;
    common.include(*range);
  }
  return narrowest_tensor_element(common, frac_bits);
}

Result<TensorType> Requantize::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // requantize_c1
    return error(messages::RequantizeC1, where, operands.size());
  const Shape& shape = operands[0].type->shape;
  const auto fits = [&shape](size_t size) {
    const auto count = static_cast<int64_t>(size);
    return count == shape.back() || count == num_elements(shape);
  };
  if (steps.size() > 1 && !fits(steps.size()))  // requantize_c2
    return error(messages::RequantizeC2, where, steps.size(), "steps", millrace::to_string(shape));
  for (const double step : steps)
    if (!std::isfinite(step) || step <= 0)  // requantize_c4
      return error(messages::RequantizeC4, where, step);
  if (types.empty())
    return TensorType{shape, to.type};
  if (!fits(types.size()))  // requantize_c2
    return error(messages::RequantizeC2, where, types.size(), "types", millrace::to_string(shape));
  for (const FixedType& type : types)
    MR_TRY_STATUS((TensorType{shape, type}.verify(where)));
  const auto common = common_type(types);
  if (common != to.type)  // requantize_c3
    return error(messages::RequantizeC3, where, to.type.to_string(),
                 common ? common->to_string() : "nothing that fits 64 bits");
  return TensorType{shape, to.type};
}

}  // namespace millrace::graph
