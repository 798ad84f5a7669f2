// SPDX-License-Identifier: Apache-2.0
// Operators without weights, on constants and on activations.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/frontends/onnx/window.h"

namespace millrace::frontends::onnx {
namespace {

/// The extents that a Reshape gives: 0 copies an extent, -1 takes what is left.
std::optional<Shape> reshaped(const Shape& from, const std::vector<double>& target,
                              bool zero_is_zero) {
  Shape shape;
  std::optional<size_t> free;
  for (size_t i = 0; i < target.size(); ++i) {
    auto extent = static_cast<int64_t>(target[i]);
    if (extent == 0 && !zero_is_zero) {
      if (i >= from.size())
        return std::nullopt;
      extent = from[i];
    }
    if (extent == -1) {
      if (free)
        return std::nullopt;
      free = i;
      extent = 1;
    }
    shape.push_back(extent);
  }
  const auto wanted = bounded_elements(from);
  const auto given = bounded_elements(shape);
  if (!wanted || !given || (free && (*given == 0 || *wanted % *given != 0)))
    return std::nullopt;
  if (free)
    shape[*free] = *wanted / *given;
  return bounded_elements(shape) == wanted ? std::optional(shape) : std::nullopt;
}

std::string list(const std::vector<double>& numbers) {
  std::string text = "[";
  for (double number : numbers)
    text += fmt::format("{}{}", text.size() > 1 ? ", " : "", number);
  return printable(text + "]");
}

/// The shape of an activation as ONNX sees it, with the batch of 1.
Shape with_batch(const Activation& x) {
  Shape shape = x.shape;
  shape.insert(shape.begin(), 1);
  return shape;
}

}  // namespace

// Constants.

Status Importer::constant_node(const Node& node) {
  if (node.attributes.size() != 1)
    return error(messages::MissingAttribute, node.where, "value");
  FloatTensor tensor;
  const auto& value = node.attributes.begin()->second;
  if (const auto* whole = std::get_if<FloatTensor>(&value)) {
    tensor = *whole;
  } else if (const auto* integer = std::get_if<int64_t>(&value)) {
    tensor.data = {static_cast<double>(*integer)};
  } else if (const auto* number = std::get_if<double>(&value)) {
    tensor.data = {*number};
  } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
    tensor.data.assign(integers->begin(), integers->end());
    tensor.shape = {static_cast<int64_t>(integers->size())};
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    tensor.data = *numbers;
    tensor.shape = {static_cast<int64_t>(numbers->size())};
  } else {
    return error(messages::BadAttribute, node.where, node.attributes.begin()->first,
                 "of another type", "numbers");
  }
  for (double number : tensor.data) {
    if (!std::isfinite(number))
      return error(messages::NotFinite, node.where, std::isnan(number) ? "NaN" : "infinite");
  }
  const std::string& name = node.outputs.front();
  define(name,
         ConstantValue{
             name, name, node.where, std::make_shared<const FloatTensor>(std::move(tensor)), {}});
  return {};
}

Status Importer::constant_identity(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  define(node.outputs.front(), *x);
  return {};
}

Result<Quantizer> Importer::quantizer(const Node& node, const Shape& shape) {
  MR_TRY(const ConstantValue* scale, real_constant(node, 1, "scale"));
  MR_TRY(const ConstantValue* zero_point, real_constant(node, 2, "zero point"));
  MR_TRY(const ConstantValue* bit_width, real_constant(node, 3, "bit width"));
  return read_quantizer(node, {*scale, *zero_point, *bit_width}, shape);
}

Status Importer::constant_quant(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  MR_TRY(const Quantizer to, quantizer(node, x->shape()));
  ConstantValue result = *x;
  result.tensor = node.outputs.front();
  result.quantizers.push_back({node.name, node.where, to});
  define(node.outputs.front(), std::move(result));
  return {};
}

Status Importer::constant_reshape(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  MR_TRY(const ConstantValue* target, real_constant(node, 1, "shape"));
  MR_TRY(const int64_t allow_zero, int_attribute(node, "allowzero", 0));
  const auto shape = reshaped(x->shape(), target->value->data, allow_zero != 0);
  if (!shape)
    return error(messages::LayerShapes, node.where, "input", to_string(x->shape()), "new shape is",
                 list(target->value->data));
  ConstantValue result = *x;
  result.tensor = node.outputs.front();
  result.value = std::make_shared<const FloatTensor>(FloatTensor{*shape, x->value->data});
  define(node.outputs.front(), std::move(result));
  return {};
}

Status Importer::constant_transpose(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  const size_t rank = x->shape().size();
  std::vector<int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  MR_TRY(const auto order, ints_attribute(node, "perm", reversed));
  if (!std::ranges::is_permutation(order, reversed))
    return bad_attribute(node, "perm", order, fmt::format("a permutation of {} axes", rank));
  ConstantValue result = *x;
  result.tensor = node.outputs.front();
  result.value = std::make_shared<const FloatTensor>(transpose(*x->value, order));
  define(node.outputs.front(), std::move(result));
  return {};
}

// Activations.

Status Importer::identity(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  define(node.outputs.front(), *x);
  return {};
}

Status Importer::quant(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const Quantizer to, quantizer(node, with_batch(*x)));
  // The input has the quantiser's type already; only a narrower range is left to be enforced.
  if (&node == input_quantizer_ && to.overflow == Overflow::Saturate) {
    define(node.outputs.front(), *x);
    return {};
  }
  return add(node, graph::Requantize{to}, {x->id}, x->shape, x->flattened, node.outputs.front());
}

Status Importer::relu(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  return add(node, graph::Relu{}, {x->id}, x->shape, x->flattened, node.outputs.front());
}

Status Importer::sigmoid(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  return add(node, graph::Unary{graph::UnaryFunction::Sigmoid}, {x->id}, x->shape, x->flattened,
             node.outputs.front());
}

Status Importer::add_constant(const Node& node) {
  // Every Add that is a bias was taken up by the layer before it.
  return error(messages::AddNotBias, node.where);
}

Status Importer::flatten_to_vector(const Node& node, const Activation& x) {
  if (!x.is_map())
    return identity(node);
  const bool same_order = x.shape[0] == 1 || x.shape[1] * x.shape[2] == 1;
  return add(node, graph::Flatten{}, {x.id}, {num_elements(x.shape)},
             same_order ? Shape{} : x.shape, node.outputs.front());
}

Status Importer::flatten(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const int64_t axis, int_attribute(node, "axis", 1));
  const auto rank = static_cast<int64_t>(x->shape.size()) + 1;
  if (axis != 1 && axis != 1 - rank)
    return bad_attribute(node, "axis", axis, "1: all but the batch");
  return flatten_to_vector(node, *x);
}

Status Importer::reshape(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const ConstantValue* target, real_constant(node, 1, "shape"));
  MR_TRY(const int64_t allow_zero, int_attribute(node, "allowzero", 0));
  const Shape from = with_batch(*x);
  const auto shape = reshaped(from, target->value->data, allow_zero != 0);
  if (shape == from)
    return identity(node);
  const Shape vector = {1, num_elements(x->shape)};
  if (shape != vector)
    return error(messages::Reshape, node.where, list(target->value->data), vector[1]);
  return flatten_to_vector(node, *x);
}

Status Importer::max_pool(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  if (!x->is_map())
    return error(messages::Rank, node.where, "input", to_string(with_batch(*x)), "1xCxHxW");
  constexpr int64_t MaxKernel = 65535;
  MR_TRY(const auto kernel, ints_attribute(node, "kernel_shape", {}));
  const auto in_range = [](int64_t extent) { return extent >= 1 && extent <= MaxKernel; };
  if (kernel.size() != 2 || !std::ranges::all_of(kernel, in_range))
    return bad_attribute(node, "kernel_shape", kernel,
                         fmt::format("two numbers from 1 to {}", MaxKernel));
  const int64_t channels = x->shape[0];
  const int64_t height = x->shape[1];
  const int64_t width = x->shape[2];
  MR_TRY(const graph::Window window, read_window(node, kernel[0], kernel[1], height, width));

  MR_TRY(const int64_t ceil_mode, int_attribute(node, "ceil_mode", 0));
  const int64_t rest_h =
      (height + window.pad_top + window.pad_bottom - kernel[0]) % window.stride_h;
  const int64_t rest_w = (width + window.pad_left + window.pad_right - kernel[1]) % window.stride_w;
  if (ceil_mode != 0 && (rest_h != 0 || rest_w != 0))
    return bad_attribute(node, "ceil_mode", ceil_mode, "0 (the windows do not fill the map)");
  return add(node, graph::MaxPool{window}, {x->id},
             {channels, window.out_height(height), window.out_width(width)}, {},
             node.outputs.front());
}

}  // namespace millrace::frontends::onnx
