// SPDX-License-Identifier: Apache-2.0
// An adder graph as nodes of a datapath.
#pragma once

#include <span>
#include <vector>

#include "millrace/adders/adder_graph.h"
#include "millrace/dataflow/datapath.h"

namespace millrace::dataflow {

/// Appends the adders of `graph` to a datapath; gives one node a row of the product.
///
/// Shapes   `inputs` has graph.num_inputs nodes.
std::vector<NodeId> append_adder_graph(Datapath& path, std::span<const NodeId> inputs,
                                       const adders::AdderGraph& graph);

/// The datapath that computes matrix * inputs and nothing else: each input in the narrowest integer
/// type that holds its range, each output in the narrowest type that holds its row's.
///
/// Shapes   `inputs` has graph.num_inputs ranges.
Datapath adder_datapath(const adders::AdderGraph& graph, std::span<const adders::Range> inputs);

}  // namespace millrace::dataflow
