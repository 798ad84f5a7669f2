// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/reduce.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/range.h"

namespace millrace::graph {

std::string_view to_string(ReduceFunction function) {
  return function == ReduceFunction::Max ? "max" : "sum";
}

std::optional<ReduceFunction> parse_reduce_function(std::string_view name) {
  for (const ReduceFunction function : {ReduceFunction::Max, ReduceFunction::Sum})
    if (name == to_string(function))
      return function;
  return std::nullopt;
}

Result<TensorType> Reduce::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // reduce_c1
    return error(messages::ReduceC1, where, operands.size());
  TensorType result = *operands[0].type;
  const int64_t channels = result.shape.back();
  result.shape.back() = 1;
  if (function == ReduceFunction::Max || !result.is_fixed())
    return result;
  const Range x = range_of(result.fixed());  // at most 64 bits; channels at most 28
  result.element =
      narrowest_tensor_element({x.lo * channels, x.hi * channels}, result.fixed().frac_bits);
  if (!result.element)  // reduce_c2
    return error(messages::ReduceC2, where, channels);
  return result;
}

}  // namespace millrace::graph
