// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/layer_datapath.h"

#include <algorithm>
#include <functional>
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
  return op.as<graph::Conv2D>() || op.as<graph::ConvTranspose2D>() || op.as<graph::Dense>() ||
         op.as<graph::Affine>();
}

bool has_constant_weights(const Graph& graph, const Op& op) {
  return graph.op(op.operands[1]).as<graph::Constant>() != nullptr &&
         graph.op(op.operands[2]).as<graph::Constant>() != nullptr;
}

PhaseWindow phase_window(const Op& op, const graph::ConvTranspose2D& conv) {
  PhaseWindow phases;
  // Along one axis: the taps that meet, the first place and the last one.
  const auto axis = [](int64_t kernel, int64_t stride, int64_t before, int64_t behind, int64_t out,
                       int64_t& taps, int64_t& pad_before, int64_t& pad_behind, int64_t& places,
                       int64_t& first) {
    const int64_t in = (out + before + behind - kernel) / stride + 1;
    const int64_t first_place = before / stride;
    const int64_t last_place = (out - 1 + before) / stride;
    taps = (kernel + stride - 1) / stride;
    pad_before = std::max<int64_t>(0, taps - 1 - first_place);
    pad_behind = std::max<int64_t>(0, last_place - (in - 1));
    places = last_place - first_place + 1;
    first = before - first_place * stride;
    check(taps - 1 >= first_place, "a transposed convolution crops more than its kernel");
  };
  graph::Window& w = phases.window;
  axis(conv.kernel_h, conv.stride_h, conv.pad_top, conv.pad_bottom, op.type.shape[0], w.kernel_h,
       w.pad_top, w.pad_bottom, phases.height, phases.first_row);
  axis(conv.kernel_w, conv.stride_w, conv.pad_left, conv.pad_right, op.type.shape[1], w.kernel_w,
       w.pad_left, w.pad_right, phases.width, phases.first_column);
  return phases;
}

namespace {

/// The weight of (output row, window column) of an operation's linear map.
std::function<int64_t(int64_t, int64_t)> weight_lookup(const Graph& graph, const Op& op) {
  const graph::Constant& weights = constant_operand(graph, op, 1);
  const Shape& shape = weights.type.shape;
  const int64_t outputs = shape.back();
  const auto at = [&weights](int64_t index) { return weights.raw()[static_cast<size_t>(index)]; };
  if (op.as<graph::Affine>())
    return [=](int64_t row, int64_t column) { return row == column ? at(row) : 0; };
  if (const auto* conv = op.as<graph::Conv2D>()) {
    const int64_t of_group = shape[2];               // channels that a filter reads
    const int64_t filters = outputs / conv->groups;  // of a group
    const int64_t channels = of_group * conv->groups;
    return [=](int64_t row, int64_t column) -> int64_t {
      const int64_t channel = column % channels - row / filters * of_group;
      if (channel < 0 || channel >= of_group)
        return 0;
      return at((column / channels * of_group + channel) * outputs + row);
    };
  }
  if (const auto* conv = op.as<graph::ConvTranspose2D>()) {
    const graph::Window window = phase_window(op, *conv).window;
    const int64_t channels = shape[2];
    return [=](int64_t row, int64_t column) -> int64_t {
      const int64_t phase = row / outputs;
      const int64_t tap = column / channels;
      const int64_t u =
          phase / conv->stride_w + conv->stride_h * (window.kernel_h - 1 - tap / window.kernel_w);
      const int64_t v =
          phase % conv->stride_w + conv->stride_w * (window.kernel_w - 1 - tap % window.kernel_w);
      if (u >= conv->kernel_h || v >= conv->kernel_w)
        return 0;
      return at(((u * conv->kernel_w + v) * channels + column % channels) * outputs +
                row % outputs);
    };
  }
  return [=](int64_t row, int64_t column) { return at(column * outputs + row); };
}

}  // namespace

LinearMap linear_map(const Graph& graph, const Op& op) {
  const FixedType& x = graph.type(op.operands[0]).fixed();
  const graph::Constant& weights = constant_operand(graph, op, 1);
  const graph::Constant& bias = constant_operand(graph, op, 2);
  const FixedType& y = op.type.fixed();
  const int weight_shift = y.frac_bits - x.frac_bits - weights.type.fixed().frac_bits;
  const int bias_shift = y.frac_bits - bias.type.fixed().frac_bits;

  const Shape& shape = weights.type.shape;
  const int64_t outputs = shape.back();
  int64_t rows = outputs;
  int64_t columns = num_elements(shape) / outputs;
  if (op.as<graph::Affine>())
    columns = outputs;
  else if (const auto* conv = op.as<graph::Conv2D>())
    columns *= conv->groups;
  else if (const auto* transposed = op.as<graph::ConvTranspose2D>()) {
    const graph::Window window = phase_window(op, *transposed).window;
    rows = outputs * transposed->stride_h * transposed->stride_w;
    columns = window.kernel_h * window.kernel_w * shape[2];
  }
  LinearMap map{.rows = static_cast<int>(rows),
                .columns = static_cast<int>(columns),
                .entries = {},
                .bias = {}};
  const auto weight = weight_lookup(graph, op);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column)
      map.entries.push_back(scaled(weight(row, column), weight_shift));
    map.bias.push_back(scaled(bias.raw()[static_cast<size_t>(row % outputs)], bias_shift));
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
          window.push_back(
              largest_of_column((lane * w.stride_w + tap * w.dilation_w) * w.channels + channel));
        results.push_back(append_largest(path, std::move(window)));
      }
  }
  return results;
}

}  // namespace millrace::dataflow
