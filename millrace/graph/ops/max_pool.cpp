// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/max_pool.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> MaxPool::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || operands[0].type->shape.size() != 3)  // max_pool_c1
    return error(messages::MaxPoolC1, where, to_string(operands));
  if (!window.is_valid())  // max_pool_c2
    return error(messages::MaxPoolC2, where, window.kernel_h, window.kernel_w);
  const Shape& x = operands[0].type->shape;
  const int64_t height = window.out_height(x[0]);
  const int64_t width = window.out_width(x[1]);
  if (height < 1 || width < 1)  // max_pool_c3
    return error(messages::MaxPoolC3, where, window.kernel_h, window.kernel_w,
                 millrace::to_string(x));
  if (!window.reaches_map(x[0], x[1]))  // max_pool_c4
    return error(messages::MaxPoolC4, where, window.dilation_h, window.dilation_w,
                 millrace::to_string(x));
  return TensorType{{height, width, x[2]}, operands[0].type->element};
}

}  // namespace millrace::graph
