// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/layer_datapath.h"

#include <optional>

#include "millrace/dataflow/adder_datapath.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Graph;
using graph::Op;

const graph::Constant& constant_operand(const Graph& graph, const Op& op, size_t index) {
  const auto* constant = graph.op(op.operands[index]).as<graph::Constant>();
  check(constant != nullptr, "a linear operation's weights are not constant");
  return *constant;
}

int64_t scaled(int64_t raw, int shift) {
  check(shift >= 0 && (raw == 0 || shift < 63), "a weight is shifted out of 64 bits");
  return raw == 0 ? 0 : raw * (int64_t{1} << shift);
}

/// The largest of some nodes, by a tree of least depth.
NodeId append_largest(Datapath& path, std::vector<NodeId> level) {
  while (level.size() > 1) {
    std::vector<NodeId> next;
    for (size_t i = 0; i + 1 < level.size(); i += 2)
      next.push_back(path.max(level[i], level[i + 1]));
    if (level.size() % 2 == 1)
      next.push_back(level.back());
    level = std::move(next);
  }
  return level.front();
}

}  // namespace

bool is_linear(const Op& op) {
  return op.as<graph::Conv2D>() || op.as<graph::Dense>() || op.as<graph::Affine>();
}

LinearMap linear_map(const Graph& graph, const Op& op) {
  const FixedType& x = graph.type(op.operands[0]).fixed();
  const graph::Constant& weights = constant_operand(graph, op, 1);
  const graph::Constant& bias = constant_operand(graph, op, 2);
  const FixedType& y = op.type.fixed();
  const int weight_shift = y.frac_bits - x.frac_bits - weights.type.fixed().frac_bits;
  const int bias_shift = y.frac_bits - bias.type.fixed().frac_bits;

  const Shape& shape = weights.type.shape;
  const int outputs = static_cast<int>(shape.back());
  const bool is_diagonal = op.as<graph::Affine>() != nullptr;
  const int inputs = is_diagonal ? outputs : static_cast<int>(num_elements(shape) / shape.back());
  LinearMap map{.rows = outputs, .columns = inputs, .entries = {}, .bias = {}};
  for (int row = 0; row < outputs; ++row) {
    for (int column = 0; column < inputs; ++column) {
      const int64_t index = int64_t{column} * outputs + row;
      const int64_t raw = !is_diagonal    ? weights.raw()[static_cast<size_t>(index)]
                          : row == column ? weights.raw()[static_cast<size_t>(row)]
                                          : 0;
      map.entries.push_back(scaled(raw, weight_shift));
    }
    map.bias.push_back(scaled(bias.raw()[static_cast<size_t>(row)], bias_shift));
  }
  return map;
}

Result<std::vector<NodeId>> append_linear(Datapath& path, const BeatVector& x,
                                          const LinearMap& lane_map,
                                          const adders::SearchOptions& search) {
  check(std::ssize(x.elements) == x.windows.num_elements(),
        "one node for each element of the beat");
  std::vector<adders::Range> ranges;
  for (const NodeId id : x.elements)
    ranges.push_back({path.node(id).lo, path.node(id).hi});
  MR_TRY(const BeatGraph beat, multiply_beat(lane_map, x.windows, ranges, search));
  std::vector<NodeId> inputs = x.elements;
  for (const Int128 constant : beat.constants)
    inputs.push_back(path.constant(constant));
  return append_adder_graph(path, inputs, beat.graph);
}

std::vector<NodeId> append_elementwise(Datapath& path, const BeatVector& x, const Op& op) {
  const auto append = [&](NodeId id) {
    if (const auto* requantize = op.as<graph::Requantize>())
      return path.requantize({.x = id, .from_frac_bits = x.type.frac_bits, .to = requantize->to});
    if (const auto* table = op.as<graph::Table>())
      return path.table({.x = id, .from = x.type, .to = table->element, .values = table->value});
    check(op.as<graph::Relu>() != nullptr, "an operation that no stage computes");
    return path.relu(id);
  };
  std::vector<NodeId> results;
  results.reserve(x.elements.size());
  for (const NodeId id : x.elements)
    results.push_back(append(id));
  return results;
}

std::vector<NodeId> append_max_pool(Datapath& path, const BeatVector& x) {
  const BeatWindows& w = x.windows;
  check(std::ssize(x.elements) == w.num_elements(), "one node for each element of the beat");
  // First down each column, which several lanes may read, then along each lane's columns.
  const int64_t row_size = w.span() * w.channels;
  std::vector<std::optional<NodeId>> columns(static_cast<size_t>(row_size));
  const auto largest_of_column = [&](int64_t i) {
    std::optional<NodeId>& largest = columns[static_cast<size_t>(i)];
    if (!largest) {
      std::vector<NodeId> column;
      for (int64_t row = 0; row < w.kernel_h; ++row)
        column.push_back(x.elements[static_cast<size_t>(row * row_size + i)]);
      largest = append_largest(path, std::move(column));
    }
    return *largest;
  };
  std::vector<NodeId> results;
  for (int64_t lane = 0; lane < w.lanes; ++lane)
    for (int64_t channel = 0; channel < w.channels; ++channel) {
      std::vector<NodeId> window;
      for (int64_t column = 0; column < w.kernel_w; ++column)
        window.push_back(largest_of_column((lane * w.stride_w + column) * w.channels + channel));
      results.push_back(append_largest(path, std::move(window)));
    }
  return results;
}

}  // namespace millrace::dataflow
