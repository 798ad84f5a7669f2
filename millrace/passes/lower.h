// SPDX-License-Identifier: Apache-2.0
// From the graph that a frontend built to the exact graph.
#pragma once

#include "millrace/graph/graph.h"

namespace millrace::passes {

/// What the exact graph shall keep.
struct LowerOptions {
  /// Drop a final sigmoid (a `table`, `sigmoid`, or `sigmoid` + `requantize`): the output is what
  /// it would have read.
  bool logits = false;
};

/// Makes the exact graph: a quantised input becomes a fixed-point input, quantised constants are
/// folded, `affine` goes into the weights before it or, where it is wide, to the quantiser behind,
/// `unary` + `requantize` becomes a `table`, `softmax` + `requantize` becomes exact operations,
/// `avg_pool` + `requantize` an `avg_pool` with a quantiser, and every constant gets the narrowest
/// type that holds it (passes.h has the steps). A layer keeps its accumulator where that loses
/// something: such a graph is exact, too, but it is not compiled.
///
/// Errors   a value that is still a real number at the end (which one, and that a quantiser is
///          missing there); real weights of more than 16 bits, other real constants of more than
///          64 bits; a table whose input is wider than 16 bits; sums beyond 64 bits.
Result<graph::Graph> lower(const graph::Graph& imported, const LowerOptions& options = {});

}  // namespace millrace::passes
