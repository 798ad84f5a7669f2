// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

std::string to_string(Operands operands) {
  std::string text;
  for (const Operand& operand : operands)
    text += (text.empty() ? "" : ", ") + operand.type->to_string();
  return text;
}

}  // namespace millrace::graph
