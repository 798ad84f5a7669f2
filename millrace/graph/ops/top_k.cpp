// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/top_k.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> TopK::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1)  // top_k_c1
    return error(messages::TopKC1, where, operands.size());
  TensorType result = *operands[0].type;
  const int64_t channels = result.shape.back();
  if (k < 1 || k > channels)  // top_k_c2
    return error(messages::TopKC2, where, k, channels);
  result.shape.back() = k;
  result.element = narrowest_type(0, channels - 1, 0);
  return result;
}

}  // namespace millrace::graph
