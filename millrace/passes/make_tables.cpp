// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/real_function.h"
#include "millrace/passes/rewrite.h"

namespace millrace::passes {
Result<Graph> make_tables(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer)
      continue;
    const graph::Op& function = graph.op(op.operands[0]);
    const auto* const unary = function.as<graph::Unary>();
    if (!unary)
      continue;
    const graph::ValueId x = function.operands[0];
    if (!graph.type(x).is_fixed())
      continue;  // check_exact() says what is missing before it
    if (!quantizer->types.empty() || quantizer->steps.size() > 1)
      return error(messages::TableTypes, place_of(function), function.name);
    const FixedType& from = graph.type(x).fixed();
    const Quantizer& to = quantizer->to;
    if (from.width > graph::Table::MaxInputWidth)
      return error(messages::TableTooWide, place_of(function), function.name, from.to_string(),
                   graph::Table::MaxInputWidth);
    if (from.frac_bits > MaxTableFracBits || to.type.frac_bits > MaxTableFracBits)
      return error(messages::TableFraction, place_of(function), function.name, from.to_string(),
                   to.type.to_string(), MaxTableFracBits);
    rewrite.replace(static_cast<graph::ValueId>(i), function.name,
                    graph::Table{to.type, function_table(*unary, from, to, quantizer->step(0))},
                    {x});
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
