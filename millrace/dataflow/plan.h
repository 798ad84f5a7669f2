// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "millrace/dataflow/circuit.h"
#include "millrace/graph/graph.h"
#include "millrace/support/progress.h"

namespace millrace::dataflow {

/// What the user wishes for.
struct PlanOptions {
  int64_t lanes = 1;                 ///< pixels of a row that arrive in a clock cycle
  int64_t rows = 1;                  ///< rows that arrive in a clock cycle; above 1 only whole ones
  double clock_ns = 5;               ///< clock period
  std::string delay_family = "xcu";  ///< names the delay model
  bool three_input_adders = false;   ///< in place of pairs of adders: see fuse_adders()
  int effort = 1;                    ///< of the search for adder graphs: adders::SearchOptions
  ProgressFunction progress = {};
};

/// Turns an exact graph (one input, one output, each value used once) into a circuit that takes a
/// beat every clock cycle.
///
/// Errors   lanes that are 0 or wider than the row; an operation or a branch that no stage
///          computes; a clock that a single operation cannot meet; three-input adders
///          in a family that has none; those of
///          adders::multiply_matrix(); a search that was stopped.
Result<Circuit> plan(const graph::Graph& graph, const PlanOptions& options);

}  // namespace millrace::dataflow
