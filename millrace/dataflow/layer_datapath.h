// SPDX-License-Identifier: Apache-2.0
// Lowers single operations of the graph to nodes of a datapath.
#pragma once

#include <span>
#include <vector>

#include "millrace/dataflow/datapath.h"
#include "millrace/graph/graph.h"

namespace millrace::dataflow {

/// The elements that a layer works on, one node each, and their common type in the graph.
struct Vector {
  std::vector<NodeId> elements;
  FixedType type;
};

/// rows x columns integers and one constant a row: y = matrix * x + bias, in raw integers of y's
/// type.
struct LinearMap {
  int rows = 0;
  int columns = 0;
  std::vector<int64_t> entries;  ///< row-major
  std::vector<Int128> bias;
};

/// The linear map of conv2d (columns: the window, row-major kernel_h x kernel_w x channels), of
/// dense, or of affine (columns: channels), from their constant operands.
LinearMap linear_map(const graph::Graph& graph, const graph::Op& op);

/// Appends a constant multiplication as adder trees.
std::vector<NodeId> append_linear(Datapath& path, std::span<const NodeId> inputs,
                                  const LinearMap& map);

/// Appends the sums of products of inputs with weights that are inputs too.
///
/// Shapes   weights: inputs x outputs, row-major; `used` is false where
///          a weight is 0 in every beat.
std::vector<NodeId> append_products(Datapath& path, std::span<const NodeId> inputs,
                                    std::span<const NodeId> weights, const std::vector<bool>& used);

/// Appends an operation that works on each element alone: relu, requantize or table.
std::vector<NodeId> append_elementwise(Datapath& path, const Vector& x, const graph::Op& op);

/// Appends the largest of each channel: inputs are window x channels, channels fastest.
std::vector<NodeId> append_max_pool(Datapath& path, std::span<const NodeId> inputs,
                                    int64_t channels);

}  // namespace millrace::dataflow
