// SPDX-License-Identifier: Apache-2.0
// Operators with weights.
#include "millrace/frontends/onnx/layers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/window.h"

namespace millrace::frontends::onnx {
namespace {

/// The exponent of a power of two.
std::optional<int> exponent_of(double factor) {
  int exponent = 0;
  if (factor <= 0 || std::frexp(factor, &exponent) != 0.5)
    return std::nullopt;
  return exponent - 1;
}

/// How a constant takes in a factor: as a shift of everything, or into its numbers.
struct Factor {
  int shift = 0;
  double multiplier = 1;
};

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

std::string order_name(const Shape& chw) {
  return chw.empty() ? "" : ":chw" + to_string(chw);
}

}  // namespace

Result<Importer::Bias> Importer::find_bias(const Node& node, size_t index, int inner) {
  Bias bias{.inner = inner, .output = node.outputs.front()};
  if (has_input(node, index)) {
    MR_TRY(bias.value, constant(node, index, "bias"));
    return bias;
  }
  const auto& users = users_[bias.output];
  if (users.size() != 1 || !users.front() || users.front()->op != "Add" ||
      !users.front()->domain.empty())
    return bias;
  const Node& addition = *users.front();
  const size_t other = addition.inputs[0] == bias.output ? 1 : 0;
  const auto found = values_.find(addition.inputs[other]);
  if (found == values_.end() || !std::holds_alternative<ConstantValue>(found->second))
    return bias;
  bias.value = &std::get<ConstantValue>(found->second);
  bias.output = addition.outputs.front();
  done_.insert(&addition);
  return bias;
}

Result<graph::ValueId> Importer::bias_value(const Node& node, const Bias& bias, int64_t channels,
                                            graph::ValueId x, graph::ValueId weights) {
  if (!bias.value || bias.factor == 0) {
    const std::string name = node.name + ".bias";
    if (!builder_.type(x).is_fixed() || !builder_.type(weights).is_fixed())
      return builder_.constant(
          name, FloatTensor{{channels}, std::vector<double>(static_cast<size_t>(channels), 0)});
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
  if (!broadcast_channels(*bias.value->value, channels, bias.inner))
    return error(messages::BiasShape, node.where, to_string(bias.value->shape()), channels);
  MR_TRY(const Factor factor, read_factor(node, "beta", bias.factor, *bias.value));
  return materialise(
      *bias.value, fmt::format("bias{}/{}*{}", channels, bias.inner, factor.multiplier),
      [&](const FloatTensor& in) {
        FloatTensor out = *broadcast_channels(in, channels, bias.inner);
        for (double& number : out.data)
          number *= factor.multiplier;
        return out;
      },
      factor.shift);
}

Status Importer::conv(const Node& node) {
  MR_TRY(const Activation* input, computed(node, 0, "input"));
  const Activation x = *input;
  MR_TRY(const ConstantValue* weights, constant(node, 1, "weight"));
  if (!x.is_map())
    return error(messages::Rank, node.where, "input", "1x" + to_string(x.shape), "1xCxHxW");
  const Shape& oihw = weights->shape();
  if (!has_elements(oihw, 4))
    return error(messages::Rank, node.where, "weight", to_string(oihw), "FxCxKHxKW");
  MR_TRY(const int64_t group, int_attribute(node, "group", 1));
  if (group != 1)
    return bad_attribute(node, "group", group, "1");
  if (oihw[1] != x.shape[0])
    return error(messages::LayerShapes, node.where, "weight", to_string(oihw), "input 1x",
                 to_string(x.shape));
  const std::vector<int64_t> kernel = {oihw[2], oihw[3]};
  MR_TRY(const auto kernel_shape, ints_attribute(node, "kernel_shape", kernel));
  if (kernel_shape != kernel)
    return bad_attribute(node, "kernel_shape", kernel_shape, "the extents of the weights");
  MR_TRY(const graph::Window window,
         read_window(node, kernel[0], kernel[1], x.shape[1], x.shape[2]));

  const int64_t filters = oihw[0];
  MR_TRY(const Bias bias, find_bias(node, 2, has_input(node, 2) ? 0 : 2));
  if (has_input(node, 2) && bias.value->shape() != Shape{filters})
    return error(messages::BiasShape, node.where, to_string(bias.value->shape()), filters);
  MR_TRY(const graph::ValueId w, materialise(*weights, "hwio", [](const FloatTensor& in) {
           return transpose(in, std::array<int64_t, 4>{2, 3, 1, 0});
         }));
  MR_TRY(const graph::ValueId b, bias_value(node, bias, filters, x.id, w));
  return add(node, graph::Conv2D{window}, {x.id, w, b},
             {filters, window.out_height(x.shape[1]), window.out_width(x.shape[2])}, {},
             bias.output);
}

Status Importer::dense(const Node& node, const Activation& x, const ConstantValue& weights,
                       bool is_transposed, double alpha, const Bias& bias) {
  if (x.is_map())
    return error(messages::Rank, node.where, "input", "1x" + to_string(x.shape), "1xN");
  const Shape& shape = weights.shape();
  if (!has_elements(shape, 2))
    return error(messages::Rank, node.where, "weight", to_string(shape), "a matrix");
  if (shape[is_transposed ? 1 : 0] != x.shape[0])
    return error(messages::LayerShapes, node.where, "weight", to_string(shape), "input 1x",
                 to_string(x.shape));
  const int64_t outputs = shape[is_transposed ? 0 : 1];
  MR_TRY(const Factor factor, read_factor(node, "alpha", alpha, weights));
  MR_TRY(const graph::ValueId w,
         materialise(
             weights,
             fmt::format("{}{}*{}", is_transposed ? "mn" : "nm", order_name(x.flattened),
                         factor.multiplier),
             [&](const FloatTensor& in) {
               FloatTensor out = is_transposed ? transpose(in, std::array<int64_t, 2>{1, 0}) : in;
               out = rows_to_hwc(out, x.flattened);
               for (double& number : out.data)
                 number *= factor.multiplier;
               return out;
             },
             factor.shift));
  MR_TRY(const graph::ValueId b, bias_value(node, bias, outputs, x.id, w));
  return add(node, graph::Dense{}, {x.id, w, b}, {outputs}, {}, bias.output);
}

Status Importer::mat_mul(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "first operand"));
  MR_TRY(const ConstantValue* weights, constant(node, 1, "second operand"));
  MR_TRY(const Bias bias, find_bias(node, 2, 0));
  return dense(node, Activation(*x), *weights, false, 1, bias);
}

Status Importer::gemm(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "first operand"));
  MR_TRY(const ConstantValue* weights, constant(node, 1, "second operand"));
  MR_TRY(const int64_t trans_a, int_attribute(node, "transA", 0));
  MR_TRY(const int64_t trans_b, int_attribute(node, "transB", 0));
  MR_TRY(const double alpha, float_attribute(node, "alpha", 1));
  MR_TRY(const double beta, float_attribute(node, "beta", 1));
  if (trans_a != 0)
    return bad_attribute(node, "transA", trans_a, "0: the batch comes first");
  MR_TRY(Bias bias, find_bias(node, 2, 0));
  if (has_input(node, 2))
    bias.factor = beta;  // an Add behind the node is not scaled
  return dense(node, Activation(*x), *weights, trans_b != 0, alpha, bias);
}

Status Importer::batch_normalization(const Node& node) {
  MR_TRY(const Activation* input, computed(node, 0, "input"));
  const Activation x = *input;
  MR_TRY(const ConstantValue* gamma, constant(node, 1, "scale"));
  MR_TRY(const ConstantValue* beta, constant(node, 2, "bias"));
  MR_TRY(const ConstantValue* mean, real_constant(node, 3, "mean"));
  MR_TRY(const ConstantValue* variance, real_constant(node, 4, "variance"));
  MR_TRY(const double epsilon, float_attribute(node, "epsilon", 1e-5F));
  MR_TRY(const int64_t training, int_attribute(node, "training_mode", 0));
  MR_TRY(const int64_t spatial, int_attribute(node, "spatial", 1));
  if (training != 0)
    return bad_attribute(node, "training_mode", training, "0: export the model for inference");
  if (spatial != 1)
    return bad_attribute(node, "spatial", spatial, "1");
  const int64_t channels = x.shape[0];
  for (const ConstantValue* parameter : {gamma, beta, mean, variance}) {
    if (parameter->shape() != Shape{channels})
      return error(messages::BiasShape, node.where, to_string(parameter->shape()), channels);
  }

  const bool is_plain =
      std::ranges::all_of(mean->value->data, [](double m) { return m == 0; }) &&
      std::ranges::all_of(variance->value->data, [&](double v) { return v + epsilon == 1; });
  ConstantValue scale = *gamma;
  ConstantValue offset = *beta;
  if (!is_plain) {
    for (const ConstantValue* parameter : {gamma, beta}) {
      if (!parameter->quantizers.empty())
        return error(messages::NormalizationQuantised, node.where,
                     parameter == gamma ? "scale" : "bias");
    }
    FloatTensor scales = *gamma->value;
    FloatTensor offsets = *beta->value;
    for (size_t i = 0; i < scales.data.size(); ++i) {
      const double factor = gamma->value->data[i] / std::sqrt(variance->value->data[i] + epsilon);
      scales.data[i] = static_cast<float>(factor);
      offsets.data[i] = static_cast<float>(beta->value->data[i] - mean->value->data[i] * factor);
      if (!std::isfinite(scales.data[i]) || !std::isfinite(offsets.data[i]))
        return error(messages::Normalization, node.where, i, variance->value->data[i]);
    }
    const auto derived = [&](std::string_view suffix, FloatTensor numbers) {
      return ConstantValue{fmt::format("{}.{}", node.name, suffix),
                           fmt::format("{}.{}", node.outputs.front(), suffix),
                           node.where,
                           std::make_shared<const FloatTensor>(std::move(numbers)),
                           {}};
    };
    scale = derived("scale", std::move(scales));
    offset = derived("offset", std::move(offsets));
  }
  const std::string layout = "affine" + order_name(x.flattened);
  const auto arrange = [&](const FloatTensor& in) { return rows_to_hwc(in, x.flattened); };
  MR_TRY(const graph::ValueId scale_value, materialise(scale, layout, arrange));
  MR_TRY(const graph::ValueId offset_value, materialise(offset, layout, arrange));
  return add(node, graph::Affine{}, {x.id, scale_value, offset_value}, x.shape, x.flattened,
             node.outputs.front());
}

}  // namespace millrace::frontends::onnx
