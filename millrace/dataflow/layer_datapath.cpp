// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/layer_datapath.h"

#include <optional>
#include <queue>
#include <tuple>

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

/// A row of a multiplication that waits to be added: sign * (node << shift).
struct Summand {
  int depth = 0;
  int shift = 0;
  NodeId node = 0;
  bool negative = false;

  friend bool operator>(const Summand& x, const Summand& y) {
    return std::tuple(x.depth, x.shift, x.node) > std::tuple(y.depth, y.shift, y.node);
  }
};

using SummandQueue = std::priority_queue<Summand, std::vector<Summand>, std::greater<>>;

Summand pop(SummandQueue& queue) {
  const Summand top = queue.top();
  queue.pop();
  return top;
}

/// Adds all summands up in a tree of least depth.
NodeId append_sum(Datapath& path, SummandQueue queue) {
  if (queue.empty())
    return path.constant(0);
  while (queue.size() > 1) {
    Summand a = pop(queue);
    Summand b = pop(queue);
    if (a.negative && !b.negative)
      std::swap(a, b);
    const int shift = std::min(a.shift, b.shift);
    const NodeId sum = path.add({.a = a.node,
                                 .b = b.node,
                                 .shift_a = a.shift - shift,
                                 .shift_b = b.shift - shift,
                                 .subtract = a.negative != b.negative});
    queue.push({std::max(a.depth, b.depth) + 1, shift, sum, a.negative && b.negative});
  }
  const Summand total = queue.top();
  if (total.shift == 0 && !total.negative)
    return total.node;
  return path.add({.a = path.constant(0),
                   .b = total.node,
                   .shift_a = 0,
                   .shift_b = total.shift,
                   .subtract = total.negative});
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

std::vector<NodeId> append_products(Datapath& path, std::span<const NodeId> inputs,
                                    std::span<const NodeId> weights,
                                    const std::vector<bool>& used) {
  check(!inputs.empty() && weights.size() % inputs.size() == 0, "weights are inputs x outputs");
  const size_t outputs = weights.size() / inputs.size();
  std::vector<NodeId> sums;
  for (size_t output = 0; output < outputs; ++output) {
    SummandQueue queue;
    for (size_t input = 0; input < inputs.size(); ++input) {
      const size_t index = input * outputs + output;
      if (!used[index])
        continue;
      const FixedType type = path.node(weights[index]).type();
      for (int bit = 0; bit < type.width; ++bit) {
        const NodeId row =
            path.gate({.value = inputs[input], .control = weights[index], .bit = bit});
        queue.push({0, bit, row, type.is_signed && bit == type.width - 1});
      }
    }
    sums.push_back(append_sum(path, std::move(queue)));
  }
  return sums;
}

std::vector<NodeId> append_elementwise(Datapath& path, const BeatVector& x, const Op& op) {
  const auto append = [&](NodeId id) {
    const auto* const requantize = op.as<graph::Requantize>();
    check(!requantize || requantize->types.empty(), "types of channels that no stage computes");
    if (requantize)
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
  std::vector<NodeId> results;
  for (int64_t row = 0; row < w.rows; ++row) {
    std::vector<std::optional<NodeId>> columns(static_cast<size_t>(row_size));
    const auto largest_of_column = [&](int64_t i) {
      std::optional<NodeId>& largest = columns[static_cast<size_t>(i)];
      if (!largest) {
        std::vector<NodeId> column;
        for (int64_t tap = 0; tap < w.kernel_h; ++tap)
          column.push_back(x.elements[static_cast<size_t>(
              (row * w.stride_h + tap * w.dilation_h) * row_size + i)]);
        largest = append_largest(path, std::move(column));
      }
      return *largest;
    };
    for (int64_t lane = 0; lane < w.lanes; ++lane)
      for (int64_t channel = 0; channel < w.channels; ++channel) {
        std::vector<NodeId> window;
        for (int64_t tap = 0; tap < w.kernel_w; ++tap)
          window.push_back(largest_of_column(
              (lane * w.stride_w + tap * w.dilation_w) * w.channels + channel));
        results.push_back(append_largest(path, std::move(window)));
      }
  }
  return results;
}

}  // namespace millrace::dataflow
