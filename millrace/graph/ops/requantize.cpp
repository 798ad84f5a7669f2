// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/requantize.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Requantize::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // requantize_c1
    return error(messages::RequantizeC1, where, operands.size());
  return TensorType{operands[0].type->shape, to.type};
}

}  // namespace millrace::graph
