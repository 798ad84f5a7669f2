// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/pad.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/window.h"

namespace millrace::graph {

Result<TensorType> Pad::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || operands[0].type->shape.size() != 3)  // pad_c1
    return error(messages::PadC1, where, to_string(operands));
  const auto is_in_range = [](int64_t pad) { return pad >= 0 && pad <= Window::Limit; };
  if (!is_in_range(top) || !is_in_range(left) || !is_in_range(bottom) ||
      !is_in_range(right))  // pad_c2
    return error(messages::PadC2, where, top, left, bottom, right);
  const Shape& x = operands[0].type->shape;
  return TensorType{{top + x[0] + bottom, left + x[1] + right, x[2]}, operands[0].type->element};
}

}  // namespace millrace::graph
