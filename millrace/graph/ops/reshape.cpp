// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/reshape.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Reshape::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 1 || operands[0].type->shape.size() > 3)  // reshape_c1
    return error(messages::ReshapeC1, where, to_string(operands));
  const TensorType& x = *operands[0].type;
  int64_t rest = num_elements(x.shape);
  bool fits = !shape.empty() && shape.size() <= 3;
  for (const int64_t extent : shape) {
    fits = fits && extent >= 1 && rest % extent == 0;
    rest = fits ? rest / extent : 0;
  }
  if (!fits || rest != 1)  // reshape_c2
    return error(messages::ReshapeC2, where, millrace::to_string(shape),
                 millrace::to_string(x.shape));
  return TensorType{shape, x.element};
}

}  // namespace millrace::graph
