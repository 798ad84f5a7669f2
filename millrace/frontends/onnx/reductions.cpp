// SPDX-License-Identifier: Apache-2.0
// Operators that make one number, or a distribution, of all numbers along some axes.
#include <algorithm>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

/// The shape without the axes, or with extents of 1 in their places.
Shape reduced_shape(const Shape& shape, const std::vector<size_t>& axes, bool keep) {
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (std::ranges::find(axes, i) == axes.end())
      result.push_back(shape[i]);
    else if (keep)
      result.push_back(1);
  }
  return result;
}

std::vector<size_t> other_axes(size_t rank, const std::vector<size_t>& axes) {
  std::vector<size_t> others;
  for (size_t i = 0; i < rank; ++i)
    if (std::ranges::find(axes, i) == axes.end())
      others.push_back(i);
  return others;
}

}  // namespace

/// ReduceMax, ReduceMin, ReduceSum and ReduceMean. What is reduced lies in front of everything
/// else in the graph, as the rows and columns of a map do, and becomes a window of the whole map;
/// or it is moved behind everything else, where `reduce` finds it.
Status Importer::reduce(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  Activation x = *operand;
  const size_t rank = x.shape.size();
  MR_TRY(const auto numbers, integers(node, "axes", 1));
  MR_TRY(const int64_t keep, int_attribute(node, "keepdims", 1));
  MR_TRY(const int64_t noop, int_attribute(node, "noop_with_empty_axes", 0));
  if (noop != 0 && (!numbers || numbers->empty()))
    return identity(node);
  std::vector<size_t> axes;
  if (numbers) {
    MR_TRY(axes, axes_of(node, "axes", *numbers, rank));
  }
  if (axes.empty()) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), size_t{0});
  }
  std::ranges::sort(axes);
  const Shape shape = reduced_shape(x.shape, axes, keep != 0);
  int64_t count = 1;
  for (size_t axis : axes)
    count *= x.shape[axis];
  const int64_t kept = num_elements(x.shape) / count;
  const auto others = other_axes(rank, axes);
  const Layout layout = x.layout.restricted(x.shape, others);
  if (count == 1) {
    define(node.outputs.front(), Activation{x.id, shape, layout});
    return {};
  }
  if (node.op == "ReduceMin") {
    MR_TRY(x.id, emit(node, ".negated", graph::Negate{}, {x.id}));
  }
  const auto runs = x.layout.runs(x.shape);
  const auto is_reduced = [&](size_t factor) {
    return std::ranges::any_of(
        axes, [&](size_t axis) { return factor >= runs[axis].begin && factor < runs[axis].end; });
  };
  const auto& order = x.layout.order();
  const bool is_in_front = kept > 1 && std::ranges::is_partitioned(order, is_reduced);
  graph::ValueId id = x.id;
  if (is_in_front) {
    const Shape& laid = builder_.type(x.id).shape;
    const Shape map = laid.size() == 3 && laid[2] == kept ? laid : Shape{1, count, kept};
    MR_TRY(id, shaped(node, x.id, map));
    const graph::Window window{.kernel_h = map[0], .kernel_w = map[1]};
    if (node.op == "ReduceMean") {
      MR_TRY(id, emit(node, "", graph::AvgPool{window, false, {}}, {id}));
    } else if (node.op == "ReduceSum") {
      // A sum of each channel: a depthwise convolution with ones.
      if (num_elements(map) > MaxFolded)
        return error(messages::TooLarge, node.where, "the window",
                     fmt::format("{} elements", MaxFolded));
      graph::Conv2D conv{window, kept};
      const std::vector<int64_t> ones(static_cast<size_t>(num_elements(map)), 1);
      const FixedType one{false, 1, 0};
      MR_TRY(
          const graph::ValueId weights,
          builder_.constant(node.name + ".ones", IntTensor{{map[0], map[1], 1, kept}, ones}, one));
      MR_TRY(const graph::ValueId zeros,
             builder_.constant(
                 node.name + ".zeros",
                 IntTensor{{kept}, std::vector<int64_t>(static_cast<size_t>(kept), 0)}, one));
      MR_TRY(id, emit(node, "", conv, {id, weights, zeros}));
    } else {
      MR_TRY(id,
             emit(node, node.op == "ReduceMin" ? ".largest" : "", graph::MaxPool{window}, {id}));
    }
  } else {
    MR_TRY(x, with_last(node, x, axes, false));
    if (node.op == "ReduceMean") {
      MR_TRY(id, shaped(node, x.id, {kept, count, 1}));
      const graph::Window window{.kernel_h = 1, .kernel_w = count};
      MR_TRY(id, emit(node, "", graph::AvgPool{window, false, {}}, {id}));
    } else {
      const auto function =
          node.op == "ReduceSum" ? graph::ReduceFunction::Sum : graph::ReduceFunction::Max;
      MR_TRY(id,
             emit(node, node.op == "ReduceMin" ? ".largest" : "", graph::Reduce{function}, {x.id}));
    }
  }
  if (node.op == "ReduceMin") {
    MR_TRY(id, emit(node, "", graph::Negate{}, {id}));
  }
  define(node.outputs.front(), Activation{id, shape, layout});
  return {};
}

/// Over one axis from operator set 13 on; before that over all axes from one on.
Status Importer::softmax(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  constexpr int64_t OneAxis = 13;
  const bool is_one_axis = model_.opset >= OneAxis;
  MR_TRY(const int64_t number, int_attribute(node, "axis", is_one_axis ? -1 : 1));
  const size_t rank = operand->shape.size();
  MR_TRY(const size_t axis, axis_of(node, "axis", number, rank));
  std::vector<size_t> axes = {axis};
  for (size_t i = axis + 1; !is_one_axis && i < rank; ++i)
    axes.push_back(i);
  MR_TRY(Activation x, with_last(node, *operand, axes, false));
  return add_elementwise(node, graph::Softmax{}, x);
}

/// ArgMax and ArgMin.
Status Importer::arg_max(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  MR_TRY(const int64_t number, int_attribute(node, "axis", 0));
  MR_TRY(const int64_t keep, int_attribute(node, "keepdims", 1));
  MR_TRY(const int64_t select_last, int_attribute(node, "select_last_index", 0));
  if (select_last != 0)
    return bad_attribute(node, "select_last_index", select_last, "0: of equal numbers the first");
  MR_TRY(const size_t axis, axis_of(node, "axis", number, operand->shape.size()));
  MR_TRY(Activation x, with_last(node, *operand, {axis}, true));
  if (node.op == "ArgMin") {
    MR_TRY(x.id, emit(node, ".negated", graph::Negate{}, {x.id}));
  }
  return add(node, graph::TopK{1}, {x.id}, reduced_shape(x.shape, {axis}, keep != 0),
             x.layout.restricted(x.shape, other_axes(x.shape.size(), {axis})));
}

/// The indices; of the numbers themselves the largest alone.
Status Importer::top_k(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  MR_TRY(const int64_t number, int_attribute(node, "axis", -1));
  MR_TRY(const int64_t largest, int_attribute(node, "largest", 1));
  MR_TRY(const int64_t sorted, int_attribute(node, "sorted", 1));
  MR_TRY(const size_t axis, axis_of(node, "axis", number, operand->shape.size()));
  if (largest != 0 && largest != 1)
    return bad_attribute(node, "largest", largest, "0 or 1");
  if (sorted != 0 && sorted != 1)
    return bad_attribute(node, "sorted", sorted, "0 or 1");
  int64_t k = 0;
  if (node.attributes.contains("k")) {
    MR_TRY(k, int_attribute(node, "k", 0));
  } else if (has_input(node, 1)) {
    MR_TRY(const auto numbers, integers(node, 1, "k"));
    k = numbers.size() == 1 ? numbers[0] : 0;
  }
  if (k < 1 || k > operand->shape[axis])
    return bad_attribute(node, "k", k, fmt::format("1 to {}", operand->shape[axis]));
  const bool gives_numbers = is_used(node, 0);
  const bool gives_indices = is_used(node, 1);
  if (gives_numbers && k > 1)
    return error(messages::TopKValues, node.where, k);
  MR_TRY(Activation x, with_last(node, *operand, {axis}, true));
  if (largest == 0) {
    MR_TRY(x.id, emit(node, ".negated", graph::Negate{}, {x.id}));
  }
  Shape shape = x.shape;
  shape[axis] = k;
  const Layout layout = x.layout.with_last(x.shape, axis, k);
  if (gives_numbers) {
    MR_TRY(graph::ValueId id,
           emit(node, ".values", graph::Reduce{graph::ReduceFunction::Max}, {x.id}));
    if (largest == 0) {
      MR_TRY(id, emit(node, ".values", graph::Negate{}, {id}));
    }
    define(node.outputs[0], Activation{id, shape, layout});
  }
  if (gives_indices) {
    MR_TRY(const graph::ValueId id, emit(node, "", graph::TopK{k}, {x.id}));
    define(node.outputs[1], Activation{id, shape, layout});
  }
  return {};
}

}  // namespace millrace::frontends::onnx
