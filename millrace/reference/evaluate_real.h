// SPDX-License-Identifier: Apache-2.0
// What the framework that wrote a model would compute.
#pragma once

#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::reference {

/// Evaluates any graph on one set of inputs in double arithmetic, its quantisers included: the
/// imported graph as its author's framework computes it, or an exact graph bit for bit as long as
/// every number has at most 53 bits.
///
/// Shapes   the elements of one tensor for each `input` operation, in order; of one for each
/// output. Numbers  IEEE 754: what is not a number (the logarithm of -1) is NaN until a quantiser
/// reads it. Errors   InternalError when an input has another number of elements.
std::vector<std::vector<double>> evaluate_real(const graph::Graph& graph,
                                               const std::vector<std::vector<double>>& inputs);

/// The same with the value of every operation, by ValueId.
std::vector<std::vector<double>> evaluate_real_all(const graph::Graph& graph,
                                                   const std::vector<std::vector<double>>& inputs);

}  // namespace millrace::reference
