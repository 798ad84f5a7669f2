// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/input.h"

#include <cmath>

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Input::infer(Operands operands, const std::string& where) const {
  if (type.shape.size() != 1 && type.shape.size() != 3)  // input_c1
    return error(messages::InputC1, where, type.shape.size());
  if (!operands.empty())  // input_c2
    return error(messages::InputC2, where, operands.size());
  if (step && (!type.is_fixed() || !std::isfinite(*step) || *step <= 0))  // input_c3
    return error(messages::InputC3, where, *step);
  return type;
}

}  // namespace millrace::graph
