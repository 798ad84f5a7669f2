// SPDX-License-Identifier: Apache-2.0
// The text form of a graph: what `model.mr` holds. print() and parse() round-trip exactly.
#pragma once

#include <string>
#include <string_view>

#include "millrace/graph/graph.h"

namespace millrace::graph {

/// Prints a graph:
///
///     graph @letters {
///       %image = input : tensor<28x28x1 x ufixed<8,0>>
///       %conv1.w = constant {value = [3, -1, ...]} : tensor<3x3x1x4 x fixed<5,1>>
///       ...
///       output %score
///     }
///
/// Attributes that have a usual value (`dilation = [1, 1]`, `groups = 1`) are left out where they
/// have it. A single number stands alone, several are a list.
/// Real numbers are printed with the fewest digits that read back as the same double.
std::string print(const Graph& graph);

/// Reads the text form; checks everything that verify() checks.
/// Errors   syntax, unknown names and operations, and types that differ from the inferred ones,
///          each with "FILE:LINE:COLUMN".
Result<Graph> parse(std::string_view text, const std::string& file = "<text>");

}  // namespace millrace::graph
