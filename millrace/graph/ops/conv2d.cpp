// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/conv2d.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/linear_range.h"

namespace millrace::graph {

Result<TensorType> Conv2D::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 3 || operands[0].type->shape.size() != 3 ||
      operands[1].type->shape.size() != 4 || operands[2].type->shape.size() != 1)  // conv2d_c1
    return error(messages::Conv2DC1, where, to_string(operands));
  const Shape& x = operands[0].type->shape;
  const Shape& w = operands[1].type->shape;
  const Shape& b = operands[2].type->shape;
  if (groups < 1 || x[2] % groups != 0 || w[3] % groups != 0)  // conv2d_c6
    return error(messages::Conv2DC6, where, groups, x[2], w[3]);
  if (w[0] != window.kernel_h || w[1] != window.kernel_w || w[2] != x[2] / groups ||
      w[3] != b[0])  // conv2d_c2
    return error(messages::Conv2DC2, where, millrace::to_string(w), millrace::to_string(b),
                 millrace::to_string(x), window.kernel_h, window.kernel_w);
  if (!window.is_valid())  // conv2d_c3
    return error(messages::Conv2DC3, where, window.kernel_h, window.kernel_w);
  const int64_t height = window.out_height(x[0]);
  const int64_t width = window.out_width(x[1]);
  if (height < 1 || width < 1)  // conv2d_c4
    return error(messages::Conv2DC4, where, window.kernel_h, window.kernel_w,
                 millrace::to_string(x));
  if (accumulate)
    return accumulated_type({height, width, w[3]}, operands, *accumulate, messages::Conv2DC7,
                            where);  // conv2d_c7
  return linear_result_type({height, width, w[3]}, operands, w[0] * w[1] * w[2], w[3],
                            messages::Conv2DC5, where);  // conv2d_c5
}

}  // namespace millrace::graph
