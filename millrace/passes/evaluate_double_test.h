// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::passes {

/// The outputs of any graph, in double arithmetic: what a framework would compute. Exact as long
/// as every number has at most 53 bits. For tests of passes, which keep these numbers.
std::vector<std::vector<double>> evaluate_double(const graph::Graph& graph,
                                                 const std::vector<std::vector<double>>& inputs);

}  // namespace millrace::passes
