// SPDX-License-Identifier: Apache-2.0
// The golden model: the plainest code that computes what the exact graph says.
#pragma once

#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::reference {

/// Evaluates an exact graph on one set of inputs.
///
/// Shapes   one tensor for each `input` operation, in order; one result for each output.
/// Units    raw integers of the values' types.
/// Errors   InternalError when the graph is not exact, or an input has another shape or a raw
///          integer outside its type.
std::vector<IntTensor> evaluate(const graph::Graph& graph, const std::vector<IntTensor>& inputs);

/// The same with the value of every operation, by ValueId.
std::vector<IntTensor> evaluate_all(const graph::Graph& graph,
                                    const std::vector<IntTensor>& inputs);

}  // namespace millrace::reference
