// SPDX-License-Identifier: Apache-2.0
// Lowers single operations of the graph to nodes of a datapath.
#pragma once

#include <vector>

#include "millrace/adders/multiply_matrix.h"
#include "millrace/dataflow/datapath.h"
#include "millrace/dataflow/shared_windows.h"
#include "millrace/graph/graph.h"

namespace millrace::dataflow {

/// What a layer reads in one beat: a node for each of the beat's elements, and how the lanes'
/// windows lie in them.
struct BeatVector {
  BeatWindows windows;
  std::vector<NodeId> elements;
  FixedType type;  ///< of all elements, in the graph
};

/// True for the operations that multiply by constants: conv2d, dense and affine.
bool is_linear(const graph::Op& op);

/// The linear map of conv2d (columns: the window, row-major kernel_h x kernel_w x channels), of
/// dense, or of affine (columns: channels), from their constant operands.
LinearMap linear_map(const graph::Graph& graph, const graph::Op& op);

/// Appends `lane_map` for every lane as adders: lanes x rows results.
///
/// Errors   those of adders::multiply_matrix().
Result<std::vector<NodeId>> append_linear(Datapath& path, const BeatVector& x,
                                          const LinearMap& lane_map,
                                          const adders::SearchOptions& search);

/// Appends an operation that works on each element alone: relu, requantize or table.
std::vector<NodeId> append_elementwise(Datapath& path, const BeatVector& x, const graph::Op& op);

/// Appends the largest element of each channel for every lane: lanes x channels results. Lanes
/// share the largest elements of the columns that they have in common.
std::vector<NodeId> append_max_pool(Datapath& path, const BeatVector& x);

}  // namespace millrace::dataflow
