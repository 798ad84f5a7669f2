// SPDX-License-Identifier: Apache-2.0
// Constants that stay what they are: given, quantised, or in another shape or order.
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/frontends/onnx/shape_arguments.h"

namespace millrace::frontends::onnx {
namespace {

constexpr FixedType Int64{true, 64, 0};

}  // namespace

Status Importer::constant_node(const Node& node) {
  if (node.attributes.size() != 1)
    return error(messages::MissingAttribute, node.where, "value");
  ModelTensor tensor;
  const auto& value = node.attributes.begin()->second;
  if (const auto* whole = std::get_if<ModelTensor>(&value)) {
    tensor = *whole;
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    tensor = {{{}, {static_cast<double>(*integer)}}, Int64};
  } else if (const auto* number = std::get_if<double>(&value)) {
    tensor.numbers.data = {*number};
  } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
    tensor.numbers = {{static_cast<int64_t>(integers->size())},
                      {integers->begin(), integers->end()}};
    tensor.integer = Int64;
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    tensor.numbers = {{static_cast<int64_t>(numbers->size())}, *numbers};
  } else {
    return error(messages::BadAttribute, node.where, node.attributes.begin()->first,
                 "of another type", "numbers");
  }
  for (double number : tensor.numbers.data) {
    if (!std::isfinite(number))
      return error(messages::NotFinite, node.where, std::isnan(number) ? "NaN" : "infinite");
  }
  const std::string& name = node.outputs.front();
  ConstantValue constant{name, name, node.where,
                         std::make_shared<const FloatTensor>(std::move(tensor.numbers))};
  constant.integer = tensor.integer;
  define(name, std::move(constant));
  return {};
}

Status Importer::constant_identity(const Node& node) {
  MR_TRY(const ConstantValue* x, scaled_constant(node, 0, "input"));
  define(node.outputs.front(), *x);
  return {};
}

Status Importer::constant_quant(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  MR_TRY(const QuantParameters parameters, quant_parameters(node, x->shape()));
  ConstantValue result = quantised(node, *x, parameters);
  result.tensor = node.outputs.front();
  define(node.outputs.front(), std::move(result));
  return {};
}

Status Importer::constant_bipolar_quant(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  MR_TRY(const ConstantValue* scale, real_constant(node, 1, "scale"));
  if (broadcast_shape(x->shape(), scale->shape()) != x->shape())
    return error(messages::LayerShapes, node.where, "scale", to_string(scale->shape()), "input",
                 to_string(x->shape()));
  FloatTensor signs = settled(*x);
  for (double& number : signs.data)
    number = number >= 0 ? 1 : -1;
  ConstantValue result{x->name, node.outputs.front(), node.where,
                       std::make_shared<const FloatTensor>(std::move(signs))};
  if (scale->uniform() != 1)
    result.scale = std::make_shared<const FloatTensor>(expand(*scale->value, x->shape()));
  define(node.outputs.front(), std::move(result));
  return {};
}

Status Importer::constant_reshape(const Node& node) {
  MR_TRY(const ConstantValue* x, scaled_constant(node, 0, "input"));
  const Shape& from = x->shape();
  std::optional<Shape> shape;
  std::string target;
  if (node.op == "Reshape") {
    MR_TRY(const auto extents, integers(node, 1, "shape"));
    MR_TRY(const int64_t allow_zero, int_attribute(node, "allowzero", 0));
    shape = reshaped_extents(from, extents, allow_zero != 0);
    target = printable(fmt::format("[{}]", fmt::join(extents, ", ")));
  } else if (node.op == "Flatten") {
    MR_TRY(const int64_t axis, int_attribute(node, "axis", 1));
    const auto rank = static_cast<int64_t>(from.size());
    if (axis < -rank || axis > rank)
      return bad_attribute(node, "axis", axis, fmt::format("an axis of {}", rank));
    shape = flattened_extents(from, axis < 0 ? axis + rank : axis);
  } else {
    MR_TRY(const auto numbers, integers(node, "axes", 1));
    const bool is_squeeze = node.op == "Squeeze";
    if (!numbers && !is_squeeze)
      return error(messages::MissingAttribute, node.where, "axes");
    const size_t rank = is_squeeze ? from.size() : from.size() + numbers->size();
    std::optional<std::vector<size_t>> axes;
    if (numbers) {
      MR_TRY(axes, axes_of(node, "axes", *numbers, rank));
      std::ranges::sort(*axes);
    }
    shape = is_squeeze ? squeezed_extents(from, axes) : unsqueezed_extents(from, *axes);
    target = "squeezed";
  }
  if (!shape)
    return error(messages::LayerShapes, node.where, "input", to_string(from), "new shape is",
                 target);
  define(node.outputs.front(), arranged(*x, node.outputs.front(), [&](const FloatTensor& in) {
           return FloatTensor{*shape, in.data};
         }));
  return {};
}

Status Importer::constant_transpose(const Node& node) {
  MR_TRY(const ConstantValue* x, scaled_constant(node, 0, "input"));
  const size_t rank = x->shape().size();
  std::vector<int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  MR_TRY(const auto order, ints_attribute(node, "perm", reversed));
  if (!std::ranges::is_permutation(order, reversed))
    return bad_attribute(node, "perm", order, fmt::format("a permutation of {} axes", rank));
  define(node.outputs.front(), arranged(*x, node.outputs.front(), [&](const FloatTensor& in) {
           return transpose(in, order);
         }));
  return {};
}

/// Shape and Size, of constants and of computed values.
Status Importer::constant_shape(const Node& node) {
  const auto& value = values_.find(node.inputs.front())->second;
  const Shape shape = std::visit(
      [](const auto& x) -> Shape {
        if constexpr (std::is_same_v<std::decay_t<decltype(x)>, Activation>)
          return x.shape;
        else
          return x.shape();
      },
      value);
  FloatTensor numbers;
  if (node.op == "Size") {
    numbers.data = {static_cast<double>(num_elements(shape))};
  } else {
    const auto rank = static_cast<int64_t>(shape.size());
    MR_TRY(const int64_t start, int_attribute(node, "start", 0));
    MR_TRY(const int64_t end, int_attribute(node, "end", rank));
    const Range range = slice_range(rank, start, end, 1);
    const auto first = shape.begin() + range.begin;
    numbers = {{range.count}, {first, first + range.count}};
  }
  const std::string& name = node.outputs.front();
  ConstantValue constant{name, name, node.where,
                         std::make_shared<const FloatTensor>(std::move(numbers))};
  constant.integer = Int64;
  define(name, std::move(constant));
  return {};
}

}  // namespace millrace::frontends::onnx
