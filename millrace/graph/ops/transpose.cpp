// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/transpose.h"

#include <algorithm>

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Transpose::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || operands[0].type->shape.size() != 3)  // transpose_c1
    return error(messages::TransposeC1, where, to_string(operands));
  constexpr std::array<int64_t, 3> Axes = {0, 1, 2};
  if (!std::is_permutation(permutation.begin(), permutation.end(), Axes.begin()))  // transpose_c2
    return error(messages::TransposeC2, where, permutation[0], permutation[1], permutation[2]);
  TensorType result = *operands[0].type;
  for (size_t axis = 0; axis < permutation.size(); ++axis)
    result.shape[axis] = operands[0].type->shape[static_cast<size_t>(permutation[axis])];
  return result;
}

}  // namespace millrace::graph
