// SPDX-License-Identifier: Apache-2.0
// From the graph that a frontend built to the exact graph.
#pragma once

#include "millrace/graph/graph.h"

namespace millrace::passes {

/// What the exact graph shall keep.
struct LowerOptions {
  bool logits = false;  ///< drop a final `table` (sigmoid): the output is what it would have read
};

/// Makes the exact graph: folds quantised constants, writes `affine` into the weights before it,
/// joins `sigmoid` + `requantize` into a `table`, and drops a final table when asked to.
///
/// Errors   a value that is still a real number at the end (which one, and that a quantiser is
///          missing there); a table whose input is wider than 16 bits; sums beyond 64 bits.
Result<graph::Graph> lower(const graph::Graph& imported, const LowerOptions& options = {});

}  // namespace millrace::passes
