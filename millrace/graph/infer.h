// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "millrace/graph/graph.h"

namespace millrace::graph {

/// The type of the value that an operation on values of `graph` defines.
/// Errors   the operation's numbered constraints and those of TensorType.
Result<TensorType> infer_type(const Graph& graph, const OpKind& kind,
                              std::span<const ValueId> operands, const std::string& where);

}  // namespace millrace::graph
