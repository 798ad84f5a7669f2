// SPDX-License-Identifier: Apache-2.0
// Values in the order and shape that an operation of the graph needs.
#include <algorithm>
#include <array>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

/// Factors that follow each other both before and after a permutation.
struct Block {
  std::vector<size_t> factors;
  int64_t extent = 1;
};

/// A permutation of blocks: `target` lists positions in `blocks`.
struct Blocks {
  std::vector<Block> blocks;
  std::vector<size_t> target;
};

Blocks blocks_of(const Layout& from, const std::vector<size_t>& target) {
  std::vector<size_t> place(target.size());  // of each factor in the target
  for (size_t i = 0; i < target.size(); ++i)
    place[target[i]] = i;
  Blocks result;
  for (size_t factor : from.order()) {
    auto& blocks = result.blocks;
    if (blocks.empty() || place[factor] != place[blocks.back().factors.back()] + 1)
      blocks.emplace_back();
    blocks.back().factors.push_back(factor);
    blocks.back().extent *= from.factors()[factor];
  }
  result.target.resize(result.blocks.size());
  std::iota(result.target.begin(), result.target.end(), size_t{0});
  std::ranges::sort(result.target, {},
                    [&](size_t block) { return place[result.blocks[block].factors.front()]; });
  return result;
}

}  // namespace

Result<graph::ValueId> Importer::shaped(const Node& node, graph::ValueId id, const Shape& shape) {
  if (builder_.type(id).shape == shape)
    return id;
  // What was only reshaped is reshaped from the start.
  while (builder_.op(id).as<graph::Flatten>() || builder_.op(id).as<graph::Reshape>()) {
    id = builder_.op(id).operands[0];
    if (builder_.type(id).shape == shape)
      return id;
  }
  if (shape.size() == 1)
    return emit(node, ".flat", graph::Flatten{}, {id});
  return emit(node, ".map", graph::Reshape{shape}, {id});
}

Result<Activation> Importer::reordered(const Node& node, const Activation& x,
                                       std::vector<size_t> order) {
  Activation result = x;
  while (result.layout.order() != order) {
    const Blocks moved = blocks_of(result.layout, order);
    const auto& blocks = moved.blocks;
    Shape shape;
    graph::Transpose transpose;
    std::vector<size_t> next;
    if (blocks.size() <= 3) {
      shape.assign(3, 1);
      const size_t ones = 3 - blocks.size();
      for (size_t i = 0; i < blocks.size(); ++i) {
        shape[ones + i] = blocks[i].extent;
        transpose.permutation[ones + i] = static_cast<int64_t>(ones + moved.target[i]);
      }
      next = order;
    } else {
      // The block that comes last goes there: before, it, behind becomes before, behind, it. What
      // comes last thus grows until three blocks are left.
      const size_t last = moved.target.back();
      const auto take = [&](size_t begin, size_t end) {
        int64_t extent = 1;
        for (size_t i = begin; i < end; ++i) {
          extent *= blocks[i].extent;
          next.insert(next.end(), blocks[i].factors.begin(), blocks[i].factors.end());
        }
        return extent;
      };
      if (last + 1 < blocks.size()) {
        const int64_t before = take(0, last);
        const int64_t behind = take(last + 1, blocks.size());
        const int64_t it = take(last, last + 1);
        shape = {before, it, behind};
        transpose.permutation = {0, 2, 1};
      } else {
        // It is there already: turn what is before it, as if it were one of the channels.
        const size_t second = moved.target[blocks.size() - 2];
        const int64_t behind = take(second + 1, last);
        const int64_t before = take(0, second + 1);
        take(last, last + 1);
        shape = {before, behind, blocks[last].extent};
        transpose.permutation = {1, 0, 2};
      }
    }
    MR_TRY(result.id, shaped(node, result.id, shape));
    MR_TRY(result.id, emit(node, ".order", transpose, {result.id}));
    result.layout = result.layout.reordered(next);
  }
  return result;
}

Result<graph::ValueId> Importer::grouped(const Node& node, const Activation& x,
                                         const std::vector<std::vector<size_t>>& groups) {
  const auto runs = x.layout.runs(x.shape);
  std::vector<size_t> order;
  Shape shape;
  for (const auto& group : groups) {
    int64_t extent = 1;
    for (size_t axis : group) {
      extent *= x.shape[axis];
      for (size_t i = runs[axis].begin; i < runs[axis].end; ++i)
        order.push_back(i);
    }
    shape.push_back(extent);
  }
  MR_TRY(const Activation moved, reordered(node, x, std::move(order)));
  return shaped(node, moved.id, shape);
}

Result<Activation> Importer::with_last(const Node& node, const Activation& x,
                                       std::vector<size_t> axes, bool in_order) {
  std::ranges::sort(axes);
  const auto runs = x.layout.runs(x.shape);
  std::vector<bool> is_last(x.layout.factors().size(), false);
  int64_t extent = 1;
  for (size_t axis : axes) {
    extent *= x.shape[axis];
    for (size_t i = runs[axis].begin; i < runs[axis].end; ++i)
      is_last[i] = true;
  }
  std::vector<size_t> order, last;
  for (size_t factor : x.layout.order())
    (is_last[factor] ? last : order).push_back(factor);
  if (in_order)
    std::ranges::sort(last);
  order.insert(order.end(), last.begin(), last.end());
  MR_TRY(Activation moved, reordered(node, x, std::move(order)));
  const Shape& shape = builder_.type(moved.id).shape;
  if (shape.back() == extent)
    return moved;
  const int64_t others = num_elements(x.shape) / extent;
  MR_TRY(moved.id, shaped(node, moved.id, others == 1 ? Shape{extent} : Shape{1, others, extent}));
  return moved;
}

Result<graph::ValueId> Importer::flattened(const Node& node, const Activation& x) {
  return shaped(node, x.id, {num_elements(x.shape)});
}

Result<Map> Importer::map_operand(const Node& node, size_t index) {
  MR_TRY(const Activation* operand, computed(node, index, "input"));
  const Activation x = *operand;
  const size_t rank = x.shape.size();
  if (rank != 3 && rank != 4)
    return error(messages::Rank, node.where, "input", to_string(x.shape), "1xCxHxW or 1xCxL");
  if (x.shape[0] != 1)
    return error(messages::Batch, node.where, x.shape[0]);
  Map map;
  map.is_1d = rank == 3;
  map.channels = x.shape[1];
  map.height = map.is_1d ? 1 : x.shape[2];
  map.width = x.shape.back();
  using Groups = std::vector<std::vector<size_t>>;
  MR_TRY(map.id, grouped(node, x, map.is_1d ? Groups{{0}, {2}, {1}} : Groups{{2}, {3}, {1}}));
  return map;
}

Result<size_t> Importer::axis_of(const Node& node, std::string_view name, int64_t axis,
                                 size_t rank) {
  const auto limit = static_cast<int64_t>(rank);
  if (axis < -limit || axis >= limit)
    return bad_attribute(node, name, axis, fmt::format("an axis of {}", rank));
  return static_cast<size_t>(axis < 0 ? axis + limit : axis);
}

Result<std::vector<size_t>> Importer::axes_of(const Node& node, std::string_view name,
                                              const std::vector<int64_t>& axes, size_t rank) {
  std::vector<size_t> result;
  if (axes.size() > MaxAxes || rank > MaxAxes)
    return bad_attribute(node, name, axes, fmt::format("at most {} axes", MaxAxes));
  for (int64_t axis : axes) {
    MR_TRY(const size_t number, axis_of(node, name, axis, rank));
    if (std::ranges::find(result, number) != result.end())
      return bad_attribute(node, name, axes, "each axis once");
    result.push_back(number);
  }
  return result;
}

}  // namespace millrace::frontends::onnx
