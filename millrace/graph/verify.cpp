// SPDX-License-Identifier: Apache-2.0
#include <unordered_set>

#include "millrace/graph/graph.h"
#include "millrace/graph/infer.h"
#include "millrace/graph/messages.h"

namespace millrace::graph {

Status verify(const Graph& graph) {
  if (!is_valid_name(graph.name()))
    return error(messages::BadName, {}, graph.name());
  if (graph.inputs().empty())
    return error(messages::NoInput, {}, graph.name());
  if (graph.outputs().empty())
    return error(messages::NoOutput, {}, graph.name());

  std::unordered_set<std::string_view> names;
  ValueId next = 0;
  const auto is_defined = [&next](ValueId value) { return value >= 0 && value < next; };
  for (const Op& op : graph.ops()) {
    const std::string where = op.where.empty() ? "%" + op.name : op.where;
    if (!is_valid_name(op.name) || !names.insert(op.name).second)
      return error(messages::BadName, where, op.name);
    for (ValueId operand : op.operands)
      if (!is_defined(operand))
        return error(messages::BadReference, where, operand);
    MR_TRY(const TensorType type, infer_type(graph, op.kind, op.operands, where));
    if (type != op.type)
      return error(messages::TypeDiffers, where, op.type.to_string(), type.to_string());
    ++next;
  }
  for (ValueId output : graph.outputs())
    if (!is_defined(output))
      return error(messages::BadReference, "output", output);
  return {};
}

}  // namespace millrace::graph
