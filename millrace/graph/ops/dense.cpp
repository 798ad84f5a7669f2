// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/dense.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/linear_range.h"

namespace millrace::graph {

Result<TensorType> Dense::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 3 || operands[0].type->shape.size() != 1 ||
      operands[1].type->shape.size() != 2 || operands[2].type->shape.size() != 1)  // dense_c1
    return error(messages::DenseC1, where, to_string(operands));
  const Shape& x = operands[0].type->shape;
  const Shape& w = operands[1].type->shape;
  const Shape& b = operands[2].type->shape;
  if (w[0] != x[0] || w[1] != b[0])  // dense_c2
    return error(messages::DenseC2, where, millrace::to_string(w), millrace::to_string(b),
                 millrace::to_string(x));
  if (accumulate)
    return accumulated_type({w[1]}, operands, *accumulate, messages::DenseC4, where);  // dense_c4
  return linear_result_type({w[1]}, operands, w[0], w[1], messages::DenseC3, where);   // dense_c3
}

}  // namespace millrace::graph
