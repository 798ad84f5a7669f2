// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/sigmoid.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Sigmoid::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // sigmoid_c1
    return error(messages::SigmoidC1, where, operands.size());
  return TensorType{operands[0].type->shape, std::nullopt};
}

}  // namespace millrace::graph
