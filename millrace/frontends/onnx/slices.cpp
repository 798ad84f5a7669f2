// SPDX-License-Identifier: Apache-2.0
// Operators that take a part of a computed value, or put something around it.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/shape_arguments.h"

namespace millrace::frontends::onnx {
namespace {

/// Axes of more than one element, as they lie in the graph; none where the elements of an axis are
/// not together.
std::optional<std::vector<size_t>> laid_axes(const Activation& x) {
  const auto runs = x.layout.runs(x.shape);
  const auto& order = x.layout.order();
  std::vector<size_t> axes;
  for (size_t i = 0; i < order.size();) {
    const auto axis = std::ranges::find_if(
        runs, [&](const Layout::Run& run) { return !run.empty() && run.begin == order[i]; });
    if (axis == runs.end())
      return std::nullopt;
    for (size_t factor = axis->begin; factor < axis->end; ++factor, ++i)
      if (i >= order.size() || order[i] != factor)
        return std::nullopt;
    axes.push_back(static_cast<size_t>(axis - runs.begin()));
  }
  return axes;
}

}  // namespace

/// Elements [begin, begin + size) of each axis.
Result<Activation> Importer::sliced(const Node& node, std::string_view suffix, const Activation& x,
                                    const std::vector<int64_t>& begin, const Shape& size) {
  if (size == x.shape)
    return x;
  Activation from = x;
  auto axes = laid_axes(from);
  if (!axes) {
    std::vector<size_t> order = from.layout.order();
    std::ranges::sort(order);
    MR_TRY(from, reordered(node, from, std::move(order)));
    axes = laid_axes(from);
  }
  // Neighbours of which all elements are taken are one, until three extents are left.
  struct Extent {
    int64_t all = 1, begin = 0, size = 1;
  };
  std::vector<Extent> extents;
  for (size_t axis : *axes)
    extents.push_back({x.shape[axis], begin[axis], size[axis]});
  const auto is_whole = [](const Extent& extent) { return extent.size == extent.all; };
  for (size_t i = 0; extents.size() > 3 && i + 1 < extents.size();) {
    if (is_whole(extents[i]) && is_whole(extents[i + 1])) {
      extents[i].all *= extents[i + 1].all;
      extents[i].size = extents[i].all;
      extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    } else {
      ++i;
    }
  }
  if (extents.size() > 3)
    return error(messages::SliceAxes, node.where);
  if (extents.size() > 1)
    extents.insert(extents.begin(), 3 - extents.size(), Extent{});
  Shape laid;
  graph::Slice slice;
  for (const Extent& extent : extents) {
    laid.push_back(extent.all);
    slice.begin.push_back(extent.begin);
    slice.size.push_back(extent.size);
  }
  // A map stays one where it can.
  const Shape& now = builder_.type(from.id).shape;
  if (now.size() == 3 && laid.size() == 3 && now != laid &&
      std::ranges::count(now, 1) == std::ranges::count(laid, 1)) {
    std::vector<Extent> wide;
    size_t next = 0;
    std::erase_if(extents, [](const Extent& extent) { return extent.all == 1; });
    for (int64_t extent : now)
      wide.push_back(extent == 1 ? Extent{} : extents[next++]);
    laid.clear();
    slice = {};
    for (const Extent& extent : wide) {
      laid.push_back(extent.all);
      slice.begin.push_back(extent.begin);
      slice.size.push_back(extent.size);
    }
  }
  MR_TRY(graph::ValueId id, shaped(node, from.id, laid));
  MR_TRY(id, emit(node, suffix, slice, {id}));
  std::vector<size_t> order;
  for (size_t i = 0; i < x.shape.size(); ++i)
    if (std::ranges::find(*axes, i) == axes->end())
      order.push_back(i);
  order.insert(order.end(), axes->begin(), axes->end());
  return Activation{id, size, Layout::of_axes(size, order)};
}

Status Importer::slice(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  const size_t rank = x.shape.size();
  MR_TRY(const auto starts, integers(node, "starts", 1));
  MR_TRY(const auto ends, integers(node, "ends", 2));
  if (!starts || !ends)
    return error(messages::MissingAttribute, node.where, starts ? "ends" : "starts");
  std::vector<int64_t> numbers(starts->size());
  std::iota(numbers.begin(), numbers.end(), 0);
  MR_TRY(const auto given, integers(node, "axes", 3));
  MR_TRY(const auto axes, axes_of(node, "axes", given.value_or(numbers), rank));
  std::vector<int64_t> steps(starts->size(), 1);
  if (has_input(node, 4)) {
    MR_TRY(steps, integers(node, 4, "steps"));
  }
  if (ends->size() != starts->size() || axes.size() != starts->size() ||
      steps.size() != starts->size())
    return bad_attribute(node, "ends", *ends, "as many numbers as starts, axes and steps");
  std::vector<int64_t> begin(rank, 0);
  Shape size = x.shape;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (steps[i] == 0)
      return bad_attribute(node, "steps", steps, "other numbers than 0");
    const Range range = slice_range(x.shape[axes[i]], (*starts)[i], (*ends)[i], steps[i]);
    if (range.count < 1)
      return error(messages::SliceEmpty, node.where, axes[i], to_string(x.shape));
    if (range.step != 1 && range.count > 1)
      return error(messages::SliceStep, node.where, steps[i]);
    begin[axes[i]] = range.begin;
    size[axes[i]] = range.count;
  }
  MR_TRY(Activation y, sliced(node, "", x, begin, size));
  define(node.outputs.front(), std::move(y));
  return {};
}

Status Importer::split(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const int64_t number, int_attribute(node, "axis", 0));
  MR_TRY(const size_t axis, axis_of(node, "axis", number, x.shape.size()));
  const auto count = static_cast<int64_t>(node.outputs.size());
  MR_TRY(const int64_t num_outputs, int_attribute(node, "num_outputs", count));
  MR_TRY(const auto given, integers(node, "split", 1));
  const int64_t extent = x.shape[axis];
  std::vector<int64_t> sizes;
  if (given) {
    sizes = *given;
  } else {
    const int64_t each = (extent + count - 1) / count;  // the last one may be smaller
    for (int64_t i = 0; i < count; ++i)
      sizes.push_back(std::min(each, extent - i * each));
    if (extent % count != 0 && model_.opset < 18)
      return bad_attribute(node, "axis", number, "an axis that the outputs divide");
  }
  int64_t sum = 0;
  for (int64_t size : sizes) {
    if (size < 1 || size > extent)
      return bad_attribute(node, "split", sizes, "numbers from 1");
    sum += size;
  }
  if (sum != extent || num_outputs != count || sizes.size() != node.outputs.size())
    return bad_attribute(node, "split", sizes,
                         fmt::format("{} numbers with the sum {}", count, extent));
  std::vector<int64_t> begin(x.shape.size(), 0);
  for (size_t i = 0; i < sizes.size(); ++i) {
    Shape size = x.shape;
    size[axis] = sizes[i];
    if (is_used(node, i)) {
      MR_TRY(Activation part, sliced(node, fmt::format(".{}", i), x, begin, size));
      define(node.outputs[i], std::move(part));
    }
    begin[axis] += sizes[i];
  }
  return {};
}

Status Importer::pad(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  Activation x = *operand;
  const size_t rank = x.shape.size();
  MR_TRY(const std::string mode, string_attribute(node, "mode", "constant"));
  if (mode != "constant")
    return error(messages::BadAttribute, node.where, "mode", printable(mode), "constant");
  MR_TRY(const auto pads, integers(node, "pads", 1));
  if (!pads)
    return error(messages::MissingAttribute, node.where, "pads");
  MR_TRY(double value, float_attribute(node, "value", 0));
  if (has_input(node, 2)) {
    MR_TRY(const ConstantValue* constant, real_constant(node, 2, "value"));
    value = constant->uniform().value_or(0);
  }
  if (value != 0)
    return error(messages::PadValue, node.where, value);
  std::vector<size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), size_t{0});
  if (has_input(node, 3)) {
    MR_TRY(const auto given, integers(node, 3, "axes"));
    MR_TRY(axes, axes_of(node, "axes", given, rank));
  }
  const auto in_range = [](int64_t pad) { return pad >= 0 && pad <= graph::Window::Limit; };
  if (pads->size() != 2 * axes.size() || !std::ranges::all_of(*pads, in_range))
    return bad_attribute(node, "pads", *pads, fmt::format("{} numbers from 0", 2 * axes.size()));
  std::vector<int64_t> before(rank, 0), behind(rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    before[axes[i]] = (*pads)[i];
    behind[axes[i]] = (*pads)[axes.size() + i];
  }
  const auto is_padded = [&](size_t axis) { return before[axis] != 0 || behind[axis] != 0; };
  const bool is_map = (rank == 4 || rank == 3) && x.shape[0] == 1 && !is_padded(0) && !is_padded(1);
  if (is_map) {
    MR_TRY(const Map map, map_operand(node, 0));
    const size_t row = rank - 2, column = rank - 1;
    graph::Pad pad{0, before[column], 0, behind[column]};
    if (!map.is_1d) {
      pad.top = before[row];
      pad.bottom = behind[row];
    }
    MR_TRY(const graph::ValueId id, emit(node, "", pad, {map.id}));
    define(node.outputs.front(), map.with(id, map.channels, map.height + pad.top + pad.bottom,
                                          map.width + pad.left + pad.right));
    return {};
  }
  // Axis by axis, each as the rows of a map.
  for (size_t axis = 0; axis < rank; ++axis) {
    if (!is_padded(axis))
      continue;
    std::vector<size_t> order = {axis};
    for (size_t i = 0; i < rank; ++i)
      if (i != axis)
        order.push_back(i);
    const int64_t extent = x.shape[axis];
    const std::vector<size_t> others(order.begin() + 1, order.end());
    MR_TRY(graph::ValueId id, grouped(node, x, {{axis}, {}, others}));
    MR_TRY(id, emit(node, "", graph::Pad{before[axis], 0, behind[axis], 0}, {id}));
    x.id = id;
    x.shape[axis] = extent + before[axis] + behind[axis];
    if (bounded_elements(x.shape).value_or(0) == 0)
      return error(messages::TooLarge, node.where, "the result",
                   fmt::format("{} elements", MaxElements));
    x.layout = Layout::of_axes(x.shape, order);
  }
  define(node.outputs.front(), std::move(x));
  return {};
}

}  // namespace millrace::frontends::onnx
