// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/avg_pool.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

// How many fraction bits accumulator and operand may differ by: their sum fits 128 bits.
constexpr int MaxAccumulatedShift = 32;

Result<TensorType> AvgPool::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || operands[0].type->shape.size() != 3)  // avg_pool_c1
    return error(messages::AvgPoolC1, where, to_string(operands));
  if (!window.is_valid() || window.kernel_h > MaxTaps / window.kernel_w)  // avg_pool_c2
    return error(messages::AvgPoolC2, where, window.kernel_h, window.kernel_w);
  const Shape& x = operands[0].type->shape;
  const int64_t height = window.out_height(x[0]);
  const int64_t width = window.out_width(x[1]);
  if (height < 1 || width < 1)  // avg_pool_c3
    return error(messages::AvgPoolC3, where, window.kernel_h, window.kernel_w,
                 millrace::to_string(x));
  if (!window.reaches_map(x[0], x[1]))  // avg_pool_c4
    return error(messages::AvgPoolC4, where, window.dilation_h, window.dilation_w,
                 millrace::to_string(x));
  if (!to && accumulate)  // avg_pool_c6
    return error(messages::AvgPoolC6, where, MaxAccumulatedShift);
  if (!to)
    return TensorType{{height, width, x[2]}, std::nullopt};
  if (!operands[0].type->is_fixed())  // avg_pool_c5
    return error(messages::AvgPoolC5, where, to->type.to_string());
  const int shift = to->type.frac_bits - operands[0].type->fixed().frac_bits;
  if (accumulate && (shift < -MaxAccumulatedShift || shift > MaxAccumulatedShift))  // avg_pool_c6
    return error(messages::AvgPoolC6, where, MaxAccumulatedShift);
  return TensorType{{height, width, x[2]}, to->type};
}

}  // namespace millrace::graph
