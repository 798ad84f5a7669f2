// SPDX-License-Identifier: Apache-2.0
// Operators that change the shape of a computed value or the order of its elements.
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/shape_arguments.h"

namespace millrace::frontends::onnx {
namespace {

std::vector<size_t> plain_order(const Activation& x) {
  std::vector<size_t> order = x.layout.order();
  std::ranges::sort(order);
  return order;
}

}  // namespace

Status Importer::reshaped(const Node& node, const Activation& x, const Shape& shape) {
  Activation y = x;
  auto layout = x.layout.reshaped(shape);
  if (!layout) {
    MR_TRY(y, reordered(node, x, plain_order(x)));
    layout = y.layout.reshaped(shape);
  }
  // A vector is one in the graph too.
  const int64_t count = num_elements(shape);
  if (shape.size() <= 2 && shape.back() == count && builder_.type(y.id).shape.size() != 1)
    return add(node, graph::Flatten{}, {y.id}, shape, *layout);
  define(node.outputs.front(), Activation{y.id, shape, *std::move(layout)});
  return {};
}

Status Importer::flatten(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const int64_t axis, int_attribute(node, "axis", 1));
  const auto rank = static_cast<int64_t>(x.shape.size());
  if (axis < -rank || axis > rank)
    return bad_attribute(node, "axis", axis, fmt::format("an axis of {}", rank));
  return reshaped(node, x, flattened_extents(x.shape, axis < 0 ? axis + rank : axis));
}

Status Importer::reshape(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const auto target, integers(node, 1, "shape"));
  MR_TRY(const int64_t allow_zero, int_attribute(node, "allowzero", 0));
  const auto shape = reshaped_extents(x.shape, target, allow_zero != 0);
  if (!shape)
    return error(messages::Reshape, node.where,
                 printable(fmt::format("[{}]", fmt::join(target, ", "))), to_string(x.shape));
  if (*shape == x.shape)
    return identity(node);
  return reshaped(node, x, *shape);
}

Status Importer::squeeze(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const auto numbers, integers(node, "axes", 1));
  std::optional<std::vector<size_t>> axes;
  if (numbers) {
    MR_TRY(axes, axes_of(node, "axes", *numbers, x.shape.size()));
  }
  const auto shape = squeezed_extents(x.shape, axes);
  if (!shape)
    return bad_attribute(node, "axes", *numbers, "axes of extent 1 of " + to_string(x.shape));
  define(node.outputs.front(), Activation{x.id, *shape, x.layout});
  return {};
}

Status Importer::unsqueeze(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const auto numbers, integers(node, "axes", 1));
  if (!numbers)
    return error(messages::MissingAttribute, node.where, "axes");
  MR_TRY(auto axes, axes_of(node, "axes", *numbers, x.shape.size() + numbers->size()));
  std::ranges::sort(axes);
  define(node.outputs.front(), Activation{x.id, unsqueezed_extents(x.shape, axes), x.layout});
  return {};
}

Status Importer::expand_operand(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const auto target, integers(node, 1, "shape"));
  const auto shape = broadcast_shape(x.shape, target);
  if (!shape || bounded_elements(*shape).value_or(0) == 0)
    return error(messages::LayerShapes, node.where, "input", to_string(x.shape), "new shape is",
                 printable(fmt::format("[{}]", fmt::join(target, ", "))));
  MR_TRY(Activation y, broadcast_up(node, x, *shape));
  define(node.outputs.front(), std::move(y));
  return {};
}

Activation transposed(const Activation& x, const std::vector<int64_t>& order) {
  Shape shape;
  for (const int64_t axis : order)
    shape.push_back(x.shape[static_cast<size_t>(axis)]);
  return {x.id, std::move(shape), x.layout.transposed(x.shape, order)};
}

Status Importer::transpose_axes(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  const size_t rank = x.shape.size();
  std::vector<int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  MR_TRY(const auto order, ints_attribute(node, "perm", reversed));
  if (!std::ranges::is_permutation(order, reversed))
    return bad_attribute(node, "perm", order, fmt::format("a permutation of {} axes", rank));
  define(node.outputs.front(), transposed(x, order));
  return {};
}

Status Importer::concat(const Node& node) {
  std::vector<Activation> parts;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!has_input(node, i))
      return error(messages::InputCount, node.where, i, node.inputs.size(), node.inputs.size());
    MR_TRY(Activation part, lifted(node, operand(node, i)));
    parts.push_back(std::move(part));
  }
  Shape shape = parts[0].shape;
  if (!node.attributes.contains("axis"))
    return error(messages::MissingAttribute, node.where, "axis");
  MR_TRY(const int64_t number, int_attribute(node, "axis", 1));
  MR_TRY(const size_t axis, axis_of(node, "axis", number, shape.size()));
  for (size_t i = 1; i < parts.size(); ++i) {
    Shape other = parts[i].shape;
    if (other.size() != shape.size())
      return error(messages::LayerShapes, node.where, "first operand", to_string(shape),
                   "other one", to_string(other));
    other[axis] = parts[0].shape[axis];
    if (other != parts[0].shape)
      return error(messages::LayerShapes, node.where, "first operand", to_string(parts[0].shape),
                   "other one", to_string(parts[i].shape));
    shape[axis] += parts[i].shape[axis];
  }
  if (parts.size() == 1)
    return define(node.outputs.front(), parts[0]), Status{};
  // The other axes in the order of the first operand, then the one that grows.
  const auto runs = parts[0].layout.runs(parts[0].shape);
  std::vector<size_t> others;
  for (size_t factor : parts[0].layout.order())
    for (size_t i = 0; i < runs.size(); ++i)
      if (i != axis && runs[i].begin == factor && !runs[i].empty())
        others.push_back(i);
  int64_t places = 1;
  for (size_t other : others)
    places *= shape[other];
  std::vector<size_t> axes = others;
  for (size_t i = 0; i < shape.size(); ++i)
    if (i != axis && shape[i] == 1)
      axes.push_back(i);
  axes.push_back(axis);
  // Maps keep their rows and columns.
  const bool is_map = others.size() == 2;
  std::vector<graph::ValueId> operands;
  for (const Activation& part : parts) {
    const int64_t extent = part.shape[axis];
    const auto part_runs = part.layout.runs(part.shape);
    std::vector<size_t> order;
    for (size_t i : axes)
      for (size_t f = part_runs[i].begin; f < part_runs[i].end; ++f)
        order.push_back(f);
    MR_TRY(const Activation moved, reordered(node, part, std::move(order)));
    const Shape laid = is_map        ? Shape{shape[others[0]], shape[others[1]], extent}
                       : places == 1 ? Shape{extent}
                                     : Shape{1, places, extent};
    MR_TRY(const graph::ValueId id, shaped(node, moved.id, laid));
    operands.push_back(id);
  }
  return add(node, graph::Concat{}, std::move(operands), shape, Layout::of_axes(shape, axes));
}

}  // namespace millrace::frontends::onnx
