// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/affine.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/linear_range.h"

namespace millrace::graph {

Result<TensorType> Affine::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 3)  // affine_c1
    return error(messages::AffineC1, where, to_string(operands));
  const Shape& x = operands[0].type->shape;
  const Shape channels = {x.back()};
  if (operands[1].type->shape != channels || operands[2].type->shape != channels)  // affine_c1
    return error(messages::AffineC1, where, to_string(operands));
  return linear_result_type(x, operands, 1, x.back(), messages::AffineC2, where);  // affine_c2
}

}  // namespace millrace::graph
