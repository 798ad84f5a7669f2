// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/infer.h"

namespace millrace::graph {

Result<TensorType> infer_type(const Graph& graph, const OpKind& kind,
                              std::span<const ValueId> operands, const std::string& where) {
  std::vector<Operand> known;
  known.reserve(operands.size());
  for (ValueId operand : operands)
    known.push_back({&graph.type(operand), graph.op(operand).as<Constant>()});
  MR_TRY(TensorType type, std::visit([&](const auto& op) { return op.infer(known, where); }, kind));
  MR_TRY_STATUS(type.verify(where));
  return type;
}

}  // namespace millrace::graph
