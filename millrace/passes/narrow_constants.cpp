// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "millrace/passes/dyadic.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/rewrite.h"
#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

bool is_narrow(const graph::Constant& constant) {
  int64_t lo = 0, hi = 0, bits = 0;
  for (const int64_t raw : constant.raw()) {
    lo = std::min(lo, raw);
    hi = std::max(hi, raw);
    bits |= raw;
  }
  const FixedType& type = constant.type.fixed();
  return (bits & 1) != 0 && narrowest_type(lo, hi, type.frac_bits) == type;
}

}  // namespace

Result<Graph> narrow_constants(const Graph& graph) {
  Rewrite rewrite(graph);
  for (size_t i = 0; i < graph.ops().size(); ++i) {
    const graph::Op& op = graph.ops()[i];
    const auto* const constant = op.as<graph::Constant>();
    if (!constant || !constant->type.is_fixed())
      continue;
    if (is_narrow(*constant))
      continue;
    auto values = exact_values(*constant);
    check(values.has_value(), "a fixed-point constant has no exact values");
    auto narrow = narrowest_constant(op.type.shape, *std::move(values));
    check(narrow.has_value(), "a constant is wider than its own type");
    rewrite.replace(static_cast<graph::ValueId>(i), op.name, *std::move(narrow), {});
  }
  return std::move(rewrite).finish();
}

}  // namespace millrace::passes
