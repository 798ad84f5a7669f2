// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/softmax.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Softmax::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // softmax_c1
    return error(messages::SoftmaxC1, where, operands.size());
  return TensorType{operands[0].type->shape, std::nullopt};
}

}  // namespace millrace::graph
