// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/relu.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Relu::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // relu_c1
    return error(messages::ReluC1, where, operands.size());
  TensorType result = *operands[0].type;
  if (result.element)
    result.element = narrowest_type(0, result.element->max_raw(), result.element->frac_bits);
  return result;
}

}  // namespace millrace::graph
