// SPDX-License-Identifier: Apache-2.0
// What all operators with weights share.
#include "millrace/frontends/onnx/layers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

/// The exponent of a power of two.
std::optional<int> exponent_of(double factor) {
  int exponent = 0;
  if (factor <= 0 || std::frexp(factor, &exponent) != 0.5)
    return std::nullopt;
  return exponent - 1;
}

FloatTensor zeros(int64_t count) {
  return {{count}, std::vector<double>(static_cast<size_t>(count), 0)};
}

}  // namespace

Result<Factor> read_factor(const Node& node, std::string_view name, double factor,
                           const ConstantValue& constant) {
  if (const auto exponent = exponent_of(factor))
    return Factor{*exponent, 1};
  if (!constant.quantizers.empty() || !std::isfinite(factor))
    return error(messages::GemmFactor, node.where, name, factor);
  return Factor{0, factor};
}

bool has_elements(const Shape& shape, size_t rank) {
  return shape.size() == rank && bounded_elements(shape).value_or(0) > 0;
}

Weights separate_scale(const ConstantValue& weights, size_t axis) {
  if (!weights.scale)
    return {weights, {}};
  // The axis first: then each output's factors lie together.
  std::vector<int64_t> order = {static_cast<int64_t>(axis)};
  for (size_t i = 0; i < weights.shape().size(); ++i)
    if (i != axis)
      order.push_back(static_cast<int64_t>(i));
  const FloatTensor factors = transpose(*weights.scale, order);
  const auto outputs = static_cast<size_t>(factors.shape[0]);
  const size_t each = factors.data.size() / outputs;
  Weights result{weights, {{factors.shape[0]}, {}}};
  result.constant.scale = nullptr;
  for (size_t i = 0; i < outputs; ++i) {
    const std::span<const double> of_output(factors.data.data() + i * each, each);
    if (std::ranges::any_of(of_output, [&](double f) { return f != of_output.front(); })) {
      result.constant.value = std::make_shared<const FloatTensor>(settled(weights));
      result.constant.quantizers.clear();
      result.output_scale = {};
      return result;
    }
    result.output_scale.data.push_back(of_output.front());
  }
  return result;
}

Result<Importer::Bias> Importer::find_bias(const Node& node, size_t index, int inner,
                                           int64_t channels) {
  Bias bias{.inner = inner, .output = node.outputs.front()};
  if (has_input(node, index)) {
    MR_TRY(bias.value, constant(node, index, "bias"));
    return bias;
  }
  const Node* addition = only_user(bias.output);
  if (!addition || addition->op != "Add" || !addition->domain.empty())
    return bias;
  const size_t other = addition->inputs[0] == bias.output ? 1 : 0;
  const auto found = values_.find(addition->inputs[other]);
  if (found == values_.end() || !std::holds_alternative<ConstantValue>(found->second))
    return bias;
  MR_TRY(const ConstantValue* value, constant(*addition, other, "bias"));
  if (value->value->data.empty() || !broadcast_channels(*value->value, channels, inner))
    return bias;  // a sum of its own
  bias.value = value;
  bias.output = addition->outputs.front();
  done_.insert(addition);
  return bias;
}

Result<graph::ValueId> Importer::bias_value(const Node& node, const Bias& bias, int64_t channels,
                                            graph::ValueId x, graph::ValueId weights) {
  if (!bias.value || bias.factor == 0) {
    const std::string name = node.name + ".bias";
    if (!builder_.type(x).is_fixed() || !builder_.type(weights).is_fixed())
      return builder_.constant(name, zeros(channels));
    // The finest step of the products, so that the zeros change nothing about the result's type.
    const int frac_bits =
        builder_.type(x).fixed().frac_bits + builder_.type(weights).fixed().frac_bits;
    const FixedType type{
        .is_signed = false,
        .width = 1,
        .frac_bits = std::clamp(frac_bits, -FixedType::MaxFracBits, FixedType::MaxFracBits)};
    return builder_.constant(
        name, IntTensor{{channels}, std::vector<int64_t>(static_cast<size_t>(channels), 0)}, type);
  }
  if (bias.value->value->data.empty() ||
      !broadcast_channels(*bias.value->value, channels, bias.inner))
    return error(messages::BiasShape, node.where, to_string(bias.value->shape()), channels);
  MR_TRY(const Factor factor, read_factor(node, "beta", bias.factor, *bias.value));
  return materialise(
      *bias.value, fmt::format("bias{}/{}", channels, bias.inner),
      [&](const FloatTensor& in) { return *broadcast_channels(in, channels, bias.inner); },
      factor.shift, factor.multiplier);
}

Result<graph::ValueId> Importer::layer(const Node& node, graph::OpKind kind, graph::ValueId x,
                                       graph::ValueId weights, const Bias& bias, int64_t outputs,
                                       const FloatTensor& output_scale) {
  if (output_scale.data.empty()) {
    MR_TRY(const graph::ValueId b, bias_value(node, bias, outputs, x, weights));
    return emit(node, "", std::move(kind), {x, weights, b});
  }
  MR_TRY(const graph::ValueId none, bias_value(node, Bias{}, outputs, x, weights));
  MR_TRY(const graph::ValueId sums, emit(node, ".sums", std::move(kind), {x, weights, none}));
  MR_TRY(const graph::ValueId scale, real_value(node, ".scale", output_scale));
  graph::ValueId offset = -1;
  if (bias.value && bias.factor != 0) {
    MR_TRY(offset, bias_value(node, bias, outputs, x, weights));
  } else {
    MR_TRY(offset, real_value(node, ".offset", zeros(outputs)));
  }
  return emit(node, "", graph::Affine{}, {sums, scale, offset});
}

}  // namespace millrace::frontends::onnx
