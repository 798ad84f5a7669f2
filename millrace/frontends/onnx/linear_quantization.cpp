// SPDX-License-Identifier: Apache-2.0
// ONNX's own quantisation: QuantizeLinear and DequantizeLinear.
#include <algorithm>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/graph/ops/requantize.h"

namespace millrace::frontends::onnx {

/// Scale and zero point, each a number or a vector with extents of 1 behind it so that it
/// broadcasts along the node's axis.
struct LinearQuantizer {
  FloatTensor scale, zero_point;
  std::optional<size_t> axis;   ///< where there is more than one scale
  FixedType type{false, 8, 0};  ///< of the whole numbers

  bool is_power_of_two() const {
    return std::ranges::all_of(scale.data, [](double s) { return frac_bits_of(s).has_value(); });
  }
};

namespace {

bool is_equal(const LinearQuantizer& a, const LinearQuantizer& b) {
  return a.scale == b.scale && a.zero_point == b.zero_point && a.type == b.type;
}

}  // namespace

Result<LinearQuantizer> Importer::linear_quantizer(const Node& node, const Shape& shape) {
  LinearQuantizer result;
  MR_TRY(const ConstantValue* scale, real_constant(node, 1, "scale"));
  result.scale = *scale->value;
  result.zero_point = {result.scale.shape, std::vector<double>(result.scale.data.size(), 0)};
  if (has_input(node, 2)) {
    MR_TRY(const ConstantValue* zero, real_constant(node, 2, "zero point"));
    if (!zero->integer)
      return error(messages::QuantLinearType, node.where);
    result.zero_point = *zero->value;
    result.type = *zero->integer;
  }
  if (result.scale.shape.size() > 1 || result.scale.data.empty() ||
      result.zero_point.data.size() != result.scale.data.size())
    return error(messages::LayerShapes, node.where, "scale", to_string(result.scale.shape),
                 "zero point", to_string(result.zero_point.shape));
  for (double number : result.scale.data)
    if (!(number > 0) || !std::isnormal(number))
      return error(messages::QuantScale, node.where, number);
  Shape broadcast;
  if (result.scale.data.size() > 1) {
    MR_TRY(const int64_t number, int_attribute(node, "axis", 1));
    MR_TRY(result.axis, axis_of(node, "axis", number, shape.size()));
    broadcast.assign(shape.size() - *result.axis, 1);
    broadcast[0] = static_cast<int64_t>(result.scale.data.size());
    if (broadcast[0] != shape[*result.axis])
      return error(messages::LayerShapes, node.where, "scale", to_string(result.scale.shape),
                   "input", to_string(shape));
  }
  result.scale.shape = result.zero_point.shape = broadcast;
  return result;
}

/// Whole numbers in the file: weights, less their zero point, times the scale.
Status Importer::constant_dequantize(const Node& node) {
  MR_TRY(const ConstantValue* x, real_constant(node, 0, "input"));
  MR_TRY(const LinearQuantizer from, linear_quantizer(node, x->shape()));
  FloatTensor numbers = *x->value;
  const FloatTensor zero = expand(from.zero_point, numbers.shape);
  const FloatTensor scale = expand(from.scale, numbers.shape);
  for (size_t i = 0; i < numbers.data.size(); ++i)
    numbers.data[i] -= zero.data[i];
  ConstantValue result{x->name, node.outputs.front(), x->where, nullptr};
  if (!from.axis && frac_bits_of(from.scale.data.front())) {
    for (size_t i = 0; i < numbers.data.size(); ++i)
      numbers.data[i] *= scale.data[i];
  } else {
    result.scale = std::make_shared<const FloatTensor>(scale);
  }
  result.value = std::make_shared<const FloatTensor>(std::move(numbers));
  define(node.outputs.front(), std::move(result));
  return {};
}

/// clamp(round(x / scale), min - zero, max - zero) * scale: what a DequantizeLinear behind the node
/// gives. With scales that are no powers of two not yet times the scale.
Result<Activation> Importer::quantised_linearly(const Node& node, const Activation& x,
                                                const LinearQuantizer& to) {
  using graph::BinaryFunction;
  const size_t count = to.scale.data.size();
  std::vector<FixedType> types;
  FloatTensor least{to.scale.shape, {}}, largest{to.scale.shape, {}};
  bool is_least = true, is_largest = true;  // that of the fixed-point type
  for (size_t i = 0; i < count; ++i) {
    const int frac_bits = to.is_power_of_two() ? *frac_bits_of(to.scale.data[i]) : 0;
    const auto zero = static_cast<Int128>(to.zero_point.data[i]);
    const Int128 low = to.type.min_raw() - zero, high = to.type.max_raw() - zero;
    const auto type = narrowest_type(low, high, frac_bits);
    if (!type)
      return error(messages::QuantZeroPoint, node.where, to.zero_point.data[i]);
    types.push_back(*type);
    is_least = is_least && low == type->min_raw();
    is_largest = is_largest && high == type->max_raw();
    least.data.push_back(type->to_double(low));
    largest.data.push_back(type->to_double(high));
  }
  Activation y = x;
  graph::Requantize requantize{{types.front(), Rounding::HalfEven, Overflow::Saturate}, {}};
  if (!to.is_power_of_two())
    requantize.steps = to.scale.data;
  if (to.axis) {
    MR_TRY(y, with_last(node, y, {*to.axis}, true));
    requantize.types = types;
    const auto common = graph::common_type(types);
    if (!common)
      return error(messages::QuantSpread, node.where);
    requantize.to.type = *common;
  }
  MR_TRY(y.id, emit(node, "", requantize, {y.id}));
  if (!is_least) {
    MR_TRY(y, binary(node, ".clamped", BinaryFunction::Maximum, y, named(node, ".least", least)));
  }
  if (!is_largest) {
    MR_TRY(y,
           binary(node, ".clamped", BinaryFunction::Minimum, y, named(node, ".largest", largest)));
  }
  return y;
}

Status Importer::quantize_linear(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const LinearQuantizer to, linear_quantizer(node, x->shape));
  MR_TRY(Activation y, quantised_linearly(node, *x, to));
  // Pairs with the operator that undoes it: only the rounding is left.
  const auto found = users_.find(node.outputs.front());
  std::vector<const Node*> undone;
  for (const Node* user : found == users_.end() ? std::vector<const Node*>() : found->second) {
    if (!user || user->op != "DequantizeLinear" || user->inputs[0] != node.outputs[0])
      continue;
    MR_TRY(const LinearQuantizer from, linear_quantizer(*user, y.shape));
    if (is_equal(from, to))
      undone.push_back(user);
  }
  Activation number = y;
  if (!to.is_power_of_two() && !undone.empty()) {
    MR_TRY(number, binary(*undone.front(), "", graph::BinaryFunction::Mul, y,
                          named(*undone.front(), ".scale", to.scale)));
  }
  for (const Node* user : undone) {
    define(user->outputs.front(), number);
    done_.insert(user);
  }
  if (found != users_.end() && undone.size() == found->second.size())
    return {};
  if (to.is_power_of_two()) {
    FloatTensor unit = to.scale;
    for (double& factor : unit.data)
      factor = 1 / factor;
    MR_TRY(y, binary(node, ".whole", graph::BinaryFunction::Mul, y, named(node, ".unit", unit)));
  }
  if (std::ranges::any_of(to.zero_point.data, [](double zero) { return zero != 0; })) {
    MR_TRY(y, binary(node, ".shifted", graph::BinaryFunction::Add, y,
                     named(node, ".zero", to.zero_point)));
  }
  define(node.outputs.front(), std::move(y));
  return {};
}

Status Importer::dequantize_linear(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const LinearQuantizer from, linear_quantizer(node, x->shape));
  Activation y = *x;
  if (std::ranges::any_of(from.zero_point.data, [](double zero) { return zero != 0; })) {
    MR_TRY(y, binary(node, ".shifted", graph::BinaryFunction::Sub, y,
                     named(node, ".zero", from.zero_point)));
  }
  MR_TRY(y, binary(node, "", graph::BinaryFunction::Mul, y, named(node, ".scale", from.scale)));
  define(node.outputs.front(), std::move(y));
  return {};
}

}  // namespace millrace::frontends::onnx
