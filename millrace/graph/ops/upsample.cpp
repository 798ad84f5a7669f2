// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/upsample.h"

#include "millrace/graph/messages.h"
#include "millrace/graph/window.h"

namespace millrace::graph {

Result<TensorType> Upsample::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || operands[0].type->shape.size() != 3)  // upsample_c1
    return error(messages::UpsampleC1, where, to_string(operands));
  const auto is_in_range = [](int64_t factor) { return factor >= 1 && factor <= Window::Limit; };
  if (!is_in_range(factor_h) || !is_in_range(factor_w))  // upsample_c2
    return error(messages::UpsampleC2, where, factor_h, factor_w);
  const Shape& x = operands[0].type->shape;
  return TensorType{{x[0] * factor_h, x[1] * factor_w, x[2]}, operands[0].type->element};
}

}  // namespace millrace::graph
