// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/slice.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Slice::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 ||
      (operands[0].type->shape.size() != 1 && operands[0].type->shape.size() != 3))  // slice_c1
    return error(messages::SliceC1, where, to_string(operands));
  const Shape& x = operands[0].type->shape;
  bool fits = begin.size() == x.size() && size.size() == x.size();
  for (size_t axis = 0; fits && axis < x.size(); ++axis)
    fits = begin[axis] >= 0 && begin[axis] < x[axis] && size[axis] >= 1 &&
           size[axis] <= x[axis] - begin[axis];
  if (!fits)  // slice_c2
    return error(messages::SliceC2, where, millrace::to_string(size), millrace::to_string(begin),
                 millrace::to_string(x));
  return TensorType{size, operands[0].type->element};
}

}  // namespace millrace::graph
