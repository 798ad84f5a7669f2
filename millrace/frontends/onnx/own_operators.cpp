// SPDX-License-Identifier: Apache-2.0
// Nodes of Millrace's own functions (own_functions.h), which the exporter writes.
#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/own_functions.h"
#include "millrace/frontends/onnx/quantizer.h"

namespace millrace::frontends::onnx {

Result<ElementQuantizers> Importer::own_quantizers(const Node& node, const Shape& shape) {
  constexpr std::array<std::string_view, 4> Roles = {"step", "unit", "bit width", "sign"};
  std::array<FloatTensor, 4> operands;
  ElementQuantizers result;
  for (size_t i = 0; i < Roles.size(); ++i) {
    MR_TRY(const ConstantValue* constant, real_constant(node, i + 1, Roles[i]));
    operands[i] = *constant->value;
    if (operands[i].data.empty())
      return error(messages::QuantEmpty, node.where, Roles[i]);
    if (operands[i].shape.size() > shape.size() ||
        broadcast_shape(operands[i].shape, shape) != shape)
      return error(messages::LayerShapes, node.where, Roles[i], to_string(operands[i].shape),
                   "input", to_string(shape));
    result.shape = broadcast_shape(result.shape, operands[i].shape).value();
  }
  if (bounded_elements(result.shape).value_or(MaxElements) > MaxFolded)
    return error(messages::TooLarge, node.where, "the set of its types",
                 fmt::format("{} elements", MaxFolded));
  for (FloatTensor& operand : operands)
    operand = expand(operand, result.shape);
  const auto& [step, unit, width, sign] = operands;
  for (size_t i = 0; i < step.data.size(); ++i) {
    const auto frac_bits = frac_bits_of(unit.data[i]);
    if (!frac_bits)
      return error(messages::QuantScale, node.where, unit.data[i]);
    if (!(width.data[i] >= 1 && width.data[i] <= FixedType::MaxWidth) ||
        width.data[i] != std::floor(width.data[i]))
      return error(messages::QuantWidth, node.where, width.data[i], FixedType::MaxWidth);
    if (sign.data[i] != 0 && sign.data[i] != 1)
      return error(messages::QuantSign, node.where, sign.data[i]);
    result.types.push_back({sign.data[i] == 1, static_cast<int>(width.data[i]), *frac_bits});
    result.steps.push_back(std::ldexp(step.data[i], *frac_bits));
    if (!(result.steps.back() > 0) || !std::isfinite(result.steps.back()))
      return error(messages::QuantScale, node.where, step.data[i]);
  }
  if (std::ranges::all_of(result.steps, [](double s) { return s == 1; }))
    result.steps.clear();
  const RequantizeModes modes = RequantizeModes::of(node.op).value();
  result.rounding = modes.rounding;
  result.overflow = modes.overflow;
  return result;
}

Status Importer::own_requantize(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const ElementQuantizers to, own_quantizers(node, x->shape));
  MR_TRY(Activation y, requantized(node, *x, to));
  define(node.outputs.front(), std::move(y));
  return {};
}

Status Importer::constant_own_requantize(const Node& node) {
  MR_TRY(const ConstantValue* x, constant(node, 0, "input"));
  MR_TRY(const ElementQuantizers to, own_quantizers(node, x->shape()));
  if (!to.steps.empty())
    return error(messages::NotComputed, node.where, "input");
  ConstantValue result = *x;
  result.tensor = node.outputs.front();
  std::vector<FixedType> types;
  if (std::ranges::adjacent_find(to.types, std::not_equal_to{}) != to.types.end()) {
    FloatTensor places{to.shape, {}};
    for (size_t i = 0; i < to.types.size(); ++i)
      places.data.push_back(static_cast<double>(i));
    for (double place : expand(places, x->shape()).data)
      types.push_back(to.types[static_cast<size_t>(place)]);
  }
  if (!x->value->data.empty())
    result.quantizers.push_back(
        {node.name, node.where, {to.types.front(), to.rounding, to.overflow}, std::move(types)});
  define(node.outputs.front(), std::move(result));
  return {};
}

Status Importer::own_table(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const ConstantValue* unit, real_constant(node, 1, "unit"));
  MR_TRY(const ConstantValue* first, real_constant(node, 2, "first code"));
  MR_TRY(const ConstantValue* values, real_constant(node, 3, "list of values"));
  const auto& in = builder_.type(x->id).element;
  if (!in || in->width > graph::Table::MaxInputWidth)
    return error(messages::OwnTable, node.where, "operand", in ? in->to_string() : "real");
  if (unit->uniform() != std::ldexp(1.0, -in->frac_bits))
    return error(messages::OwnTable, node.where, "unit", in->to_string());
  if (first->uniform() != static_cast<double>(in->min_raw()))
    return error(messages::OwnTable, node.where, "first code", in->to_string());
  MR_TRY(const int64_t width, int_attribute(node, "bit_width", 0));
  MR_TRY(const int64_t frac_bits, int_attribute(node, "frac_bits", 0));
  MR_TRY(const bool is_signed, read_flag(node, "signed", false));
  if (width < 1 || width > FixedType::MaxWidth)
    return error(messages::QuantWidth, node.where, width, FixedType::MaxWidth);
  if (std::abs(frac_bits) > FixedType::MaxFracBits)
    return bad_attribute(node, "frac_bits", frac_bits,
                         fmt::format("at most {}", FixedType::MaxFracBits));
  graph::Table table{{is_signed, static_cast<int>(width), static_cast<int>(frac_bits)}, {}};
  for (const double number : values->value->data) {
    const auto raw = millrace::requantize(number, {.type = table.element});
    if (table.element.to_double(raw) != number)
      return error(messages::OwnTable, node.where, "list of values", in->to_string());
    table.value.push_back(static_cast<int64_t>(raw));
  }
  return add_elementwise(node, std::move(table), *x);
}

}  // namespace millrace::frontends::onnx
