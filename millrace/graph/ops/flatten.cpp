// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/flatten.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Flatten::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // flatten_c1
    return error(messages::FlattenC1, where, operands.size());
  return TensorType{{num_elements(operands[0].type->shape)}, operands[0].type->element};
}

}  // namespace millrace::graph
