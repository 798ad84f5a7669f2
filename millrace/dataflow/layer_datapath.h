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

/// True for the operations that multiply by constants: conv2d, conv_transpose2d, dense, affine.
bool is_linear(const graph::Op& op);

/// True where the weights and the bias of a linear operation are constants.
bool has_constant_weights(const graph::Graph& graph, const graph::Op& op);

/// The linear map of conv2d (columns: the window, row-major kernel_h x kernel_w x channels), of
/// conv_transpose2d (columns: the window of phase_window(), rows: stride_h x stride_w phases x
/// filters), of dense, or of affine (columns: channels), from their constant operands.
LinearMap linear_map(const graph::Graph& graph, const graph::Op& op);

/// A transposed convolution as an ordinary one at stride 1 that gives, at each place of a smaller
/// map, all stride_h x stride_w adjacent pixels of the result.
struct PhaseWindow {
  graph::Window window;
  int64_t height = 1, width = 1;            ///< of the smaller map
  int64_t first_row = 0, first_column = 0;  ///< pixels of its first place in front of the result
};
PhaseWindow phase_window(const graph::Op& op, const graph::ConvTranspose2D& conv);

/// Appends `lane_map` for every lane as adders: lanes x rows results.
///
/// Errors   those of adders::multiply_matrix().
Result<std::vector<NodeId>> append_linear(Datapath& path, const BeatVector& x,
                                          const LinearMap& lane_map,
                                          const adders::SearchOptions& search);

/// Appends the largest element of each channel for every lane: lanes x channels results. Lanes
/// share the largest elements of the columns that they have in common.
std::vector<NodeId> append_max_pool(Datapath& path, const BeatVector& x);

}  // namespace millrace::dataflow
