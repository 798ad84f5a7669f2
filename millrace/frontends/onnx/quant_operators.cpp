// SPDX-License-Identifier: Apache-2.0
// Operators that quantise computed values: QONNX's and ONNX's own.
#include <algorithm>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/graph/ops/requantize.h"

namespace millrace::frontends::onnx {
namespace {

/// The axes of `shape` along which a tensor that broadcasts to it has more than one element.
std::vector<size_t> varying_axes(const Shape& shape, const Shape& in) {
  std::vector<size_t> axes;
  for (size_t i = 0; i < in.size(); ++i)
    if (in[i] != 1)
      axes.push_back(shape.size() - in.size() + i);
  return axes;
}

FloatTensor multiplied(const FloatTensor& a, const FloatTensor& b) {
  const Shape shape = broadcast_shape(a.shape, b.shape).value();
  FloatTensor result = expand(a, shape);
  const FloatTensor other = expand(b, shape);
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] *= other.data[i];
  return result;
}

}  // namespace

Result<QuantParameters> Importer::quant_parameters(const Node& node, const Shape& shape) {
  QuantParameters parameters;
  MR_TRY(const ConstantValue* scale, real_constant(node, 1, "scale"));
  MR_TRY(const ConstantValue* zero_point, real_constant(node, 2, "zero point"));
  MR_TRY(const ConstantValue* bit_width, real_constant(node, 3, "bit width"));
  parameters.scale = *scale->value;
  parameters.zero_point = *zero_point->value;
  parameters.bit_width = *bit_width->value;
  MR_TRY(parameters.is_signed, read_flag(node, "signed", true));
  MR_TRY(parameters.is_narrow, read_flag(node, "narrow", false));
  MR_TRY(parameters.rounding, read_rounding(node, "ROUND"));
  MR_TRY_STATUS(verify(node, parameters, shape));
  return parameters;
}

Status Importer::quant(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const QuantParameters parameters, quant_parameters(node, x.shape));
  const auto plain = parameters.plain();
  // The input has the quantiser's type already; only a narrower range is left to be enforced.
  if (plain && input_quantizers_.contains(&node) && plain->overflow == Overflow::Saturate) {
    define(node.outputs.front(), x);
    return {};
  }
  if (plain)
    return add_elementwise(node, graph::Requantize{*plain}, x);
  MR_TRY(Activation y, quantised_value(node, x, parameters));
  define(node.outputs.front(), std::move(y));
  return {};
}

/// Quant of a computed value with a type for each channel, a zero point, a narrow unsigned range,
/// or one signed bit.
Result<Activation> Importer::quantised_value(const Node& node, const Activation& x,
                                             const QuantParameters& parameters) {
  using graph::BinaryFunction;
  const ConstantValue scale = named(node, ".scale", parameters.scale);
  if (parameters.is_bipolar()) {
    if (parameters.has_zero_point())
      return error(messages::QuantZeroPoint, node.where, parameters.zero_point.data.front());
    Activation y = x;
    MR_TRY(y.id, emit(node, "", graph::Binarize{}, {x.id}));
    if (scale.uniform() == 1)
      return y;
    return binary(node, ".scaled", BinaryFunction::Mul, y, scale);
  }
  // Where scales are no powers of two, the quantiser counts steps, and a factor stands behind it.
  const bool has_steps = !parameters.is_power_of_two();
  Activation y = x;
  if (parameters.has_zero_point()) {
    MR_TRY(y, binary(node, ".shifted", BinaryFunction::Add, y,
                     named(node, ".offset", multiplied(parameters.zero_point, parameters.scale))));
  }
  const Shape varying = broadcast_shape(parameters.scale.shape, parameters.bit_width.shape).value();
  ElementQuantizers to{
      varying, parameters.types(varying), {}, parameters.rounding, parameters.overflow()};
  if (has_steps)
    to.steps = expand(parameters.scale, varying).data;
  MR_TRY(y, requantized(node, y, to));
  if (parameters.is_narrow && !parameters.is_signed) {
    FloatTensor largest{varying, {}};
    for (const FixedType& type : to.types)
      largest.data.push_back(type.to_double(type.max_raw() - 1));
    MR_TRY(y,
           binary(node, ".narrow", BinaryFunction::Minimum, y, named(node, ".largest", largest)));
  }
  if (parameters.has_zero_point()) {
    FloatTensor zero = parameters.zero_point;
    if (!has_steps)
      zero = multiplied(zero, parameters.scale);
    MR_TRY(y, binary(node, ".unshifted", BinaryFunction::Sub, y, named(node, ".zero", zero)));
  }
  if (has_steps)
    return binary(node, ".scaled", BinaryFunction::Mul, y, scale);
  return y;
}

Result<Activation> Importer::requantized(const Node& node, const Activation& x,
                                         const ElementQuantizers& to) {
  const auto differs = [](const auto& list) {
    return std::ranges::adjacent_find(list, std::not_equal_to{}) != list.end();
  };
  Activation y = x;
  graph::Requantize requantize{{to.types.front(), to.rounding, to.overflow}, {}};
  if (!to.steps.empty())
    requantize.steps = {to.steps.front()};
  const auto axes = varying_axes(x.shape, to.shape);
  if (!axes.empty() && (differs(to.types) || differs(to.steps))) {
    MR_TRY(y, with_last(node, y, axes, false));
    FloatTensor places{{static_cast<int64_t>(to.types.size())}, {}};
    for (size_t i = 0; i < to.types.size(); ++i)
      places.data.push_back(static_cast<double>(i));
    requantize.steps.clear();
    for (double place : y.layout.restricted(y.shape, axes).arrange(places).data) {
      if (differs(to.types))
        requantize.types.push_back(to.types[static_cast<size_t>(place)]);
      if (!to.steps.empty())
        requantize.steps.push_back(to.steps[static_cast<size_t>(place)]);
    }
    const auto common = graph::common_type(to.types);
    if (!common)
      return error(messages::QuantSpread, node.where);
    requantize.to.type = *common;
  }
  MR_TRY(y.id, emit(node, "", requantize, {y.id}));
  return y;
}

Status Importer::bipolar_quant(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  Activation y = *operand;
  MR_TRY(const ConstantValue* scale, real_constant(node, 1, "scale"));
  if (broadcast_shape(scale->shape(), y.shape) != y.shape)
    return error(messages::LayerShapes, node.where, "scale", to_string(scale->shape()), "input",
                 to_string(y.shape));
  MR_TRY(y.id, emit(node, "", graph::Binarize{}, {y.id}));
  if (scale->uniform() != 1) {
    MR_TRY(y, binary(node, ".scaled", graph::BinaryFunction::Mul, y, *scale));
  }
  define(node.outputs.front(), std::move(y));
  return {};
}

/// Source   QONNX, Trunc: version 1 keeps the scale of the input, so that its results are smaller
/// by
///          the bits that are dropped, and does not clamp; version 2 has a scale for the output.
Status Importer::trunc(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  const bool has_output_scale = node.inputs.size() == 6;
  const std::array<std::string_view, 6> roles = {
      "input", "scale", "zero point", "input bit width", "output scale", "output bit width"};
  std::array<double, 6> numbers = {};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const size_t role = !has_output_scale && i == 4 ? 5 : i;
    MR_TRY(const ConstantValue* constant, real_constant(node, i, roles[role]));
    const auto number = constant->uniform();
    if (!number)
      return error(messages::QuantPerChannel, node.where, roles[role]);
    numbers[role] = *number;
  }
  const auto [unused, scale, zero, input_width, output_scale, output_width] = numbers;
  MR_TRY(const Rounding rounding, read_rounding(node, "FLOOR"));
  MR_TRY(const bool is_signed, read_flag(node, "signed", true));
  MR_TRY(const bool is_narrow, read_flag(node, "narrow", false));
  const auto input_frac_bits = frac_bits_of(scale);
  const auto output_frac_bits = has_output_scale ? frac_bits_of(output_scale) : input_frac_bits;
  for (double factor : {scale, has_output_scale ? output_scale : scale})
    if (!frac_bits_of(factor))
      return error(messages::TruncScale, node.where, factor);
  if (zero != 0)
    return error(messages::TruncZeroPoint, node.where, zero);
  for (double width : {input_width, output_width})
    if (!(width >= 1 && width <= FixedType::MaxWidth) || width != std::floor(width))
      return error(messages::QuantWidth, node.where, width, FixedType::MaxWidth);
  // It rounds twice, first to the input's scale: what it reads must be there already.
  const auto& type = builder_.type(x->id).element;
  if (!type || type->frac_bits > *input_frac_bits)
    return error(messages::TruncInput, node.where, scale);

  graph::Requantize requantize{{*type, rounding, Overflow::Saturate}, {}};
  FixedType& to = requantize.to.type;
  if (has_output_scale) {
    to = {is_signed, static_cast<int>(output_width), *output_frac_bits};
    if ((is_signed && to.width == 1) || (is_narrow && !is_signed))
      return error(messages::TruncRange, node.where);
    requantize.to.overflow = is_narrow ? Overflow::SaturateSymmetric : Overflow::Saturate;
    return add_elementwise(node, requantize, *x);
  }
  // Wide enough for every result: one bit more than what is left of the input's type.
  const int dropped = static_cast<int>(input_width - output_width);
  const int int_bits = type->width - type->frac_bits;
  to.frac_bits = *input_frac_bits - dropped;
  if (int_bits + to.frac_bits + 1 > FixedType::MaxWidth - 1)
    return error(messages::TruncRange, node.where);
  to.width = std::clamp(int_bits + to.frac_bits + 1, 1, FixedType::MaxWidth - 1);
  Activation y = *x;
  MR_TRY(y.id, emit(node, dropped == 0 ? "" : ".dropped", requantize, {y.id}));
  if (dropped != 0) {
    MR_TRY(y, binary(node, "", graph::BinaryFunction::Mul, y,
                     named(node, ".factor", {{}, {std::ldexp(1.0, -dropped)}})));
  }
  define(node.outputs.front(), std::move(y));
  return {};
}

}  // namespace millrace::frontends::onnx
