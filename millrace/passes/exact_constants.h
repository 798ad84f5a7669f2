// SPDX-License-Identifier: Apache-2.0
// Real constants as fixed-point constants of the same values.
#pragma once

#include <optional>

#include "millrace/graph/graph.h"

namespace millrace::passes {

/// The narrowest fixed-point constant of the same values; no value where 64 bits are not enough.
std::optional<graph::Constant> exact_constant(const graph::Constant& constant);

/// The same for operand number `index` of `user`; the constant itself where it is fixed-point, or
/// where it is no factor or addend.
/// Errors   passes.unquantized_weights when weights need more than MaxExactWeightBits bits,
///          passes.unquantized_constant when another needs more than 64 bits.
Result<graph::Constant> exact_operand(const graph::Graph& graph, const graph::Op& user,
                                      size_t index);

/// True for constants that are no narrower than MaxExactWeightBits bits when they are exact.
bool is_wide(const graph::Constant& constant);

}  // namespace millrace::passes
