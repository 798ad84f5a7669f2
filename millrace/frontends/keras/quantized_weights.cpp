// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/quantized_weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/keras/messages.h"
#include "millrace/frontends/keras/power_of_two.h"
#include "millrace/frontends/keras/weight_scale.h"

namespace millrace::frontends::keras {
namespace {

size_t channels_of(const FloatTensor& weights) {
  return weights.shape.empty() ? 1 : static_cast<size_t>(weights.shape.back());
}

/// The exponent of a power of two.
std::optional<int> exponent_of(double factor) {
  int exponent = 0;
  if (factor <= 0 || std::frexp(factor, &exponent) != 0.5)
    return std::nullopt;
  return exponent - 1;
}

/// A given scale as one number for each element: it is one number, or one for each channel.
Result<std::vector<float>> spread(Config& config, std::string_view key, const FloatTensor& scale,
                                  const FloatTensor& weights) {
  const size_t channels = channels_of(weights);
  const size_t given = scale.data.size();
  const bool is_last = given == channels && !scale.shape.empty() &&
                       scale.shape.back() == static_cast<int64_t>(given);
  if (given != 1 && !is_last)
    return config.bad(key, fmt::format("1 or {} numbers", channels));
  std::vector<float> all(weights.data.size());
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<float>(scale.data[given == 1 ? 0 : i % channels]);
  return all;
}

/// Integers with scales as weights: `type` is that of the integers. Scales that are powers of two
/// move the point, others stay apart where there is one for each channel, else they go into the
/// numbers.
QuantizedWeights combine(const FloatTensor& weights, const ScaledIntegers& q,
                         std::optional<FixedType> type, const std::string& where) {
  const size_t count = weights.data.size(), channels = channels_of(weights);
  QuantizedWeights result{.numbers = weights, .step = {}, .step_where = where, .scale = {}};
  const bool are_powers =
      std::ranges::all_of(q.scale, [](float scale) { return exponent_of(scale).has_value(); });
  bool is_by_channel = true;
  for (size_t i = channels; i < count; ++i)
    is_by_channel = is_by_channel && q.scale[i] == q.scale[i % channels];
  const bool stays_apart = !are_powers && is_by_channel && weights.shape.size() > 1;
  for (size_t i = 0; i < count; ++i)
    result.numbers.data[i] = stays_apart ? q.integers[i] : q.integers[i] * q.scale[i];
  if (stays_apart)
    result.scale.assign(q.scale.begin(), q.scale.begin() + static_cast<std::ptrdiff_t>(channels));
  if (!type || !(stays_apart || (are_powers && is_by_channel)) || count == 0)
    return result;
  graph::Requantize step{{*type, Rounding::HalfEven, Overflow::Saturate}};
  if (!stays_apart) {
    std::vector<FixedType> types(channels, *type);
    for (size_t i = 0; i < channels; ++i)
      types[i].frac_bits -= *exponent_of(q.scale[i]);
    const auto common = graph::common_type(types);
    if (!common)
      return result;
    step.to.type = types.front();
    if (std::ranges::any_of(types, [&](const FixedType& t) { return t != types.front(); })) {
      step.to.type = *common;
      step.types = std::move(types);
    }
  }
  result.step = std::move(step);
  return result;
}

/// -1 and 1, or 0 and 1; zero is positive.
ScaledIntegers signs(const FloatTensor& weights, bool is_01) {
  auto q = ScaledIntegers::of(weights);
  for (size_t i = 0; i < weights.data.size(); ++i)
    q.integers[i] = weights.data[i] >= 0 ? 1.0F : is_01 ? 0.0F : -1.0F;
  return q;
}

Result<QuantizedWeights> quantized_bits(const QuantizerSpec& spec, FloatTensor weights,
                                        bool is_trainable) {
  Config config = spec.config();
  MR_TRY(const LinearQuantizer linear, read_linear(config));
  MR_TRY(const Alpha alpha, read_alpha(config, is_trainable));
  const Json* frozen = config.get("post_training_scale");
  if (frozen && !alpha.is_auto())
    return config.bad("post_training_scale", "none where alpha is a number");
  MR_TRY(const Quantizer to, linear.quantizer(config));
  if (alpha.is_auto()) {
    if (linear.bits < 2)
      return config.bad("bits", "at least 2 where alpha is computed");
    AutoBits how{.bits = linear.bits,
                 .factor = std::ldexp(1.0F, static_cast<int>(linear.integer)),
                 .is_power_of_two = alpha.kind == Alpha::Kind::AutoPo2,
                 .is_recent = spec.is_recent};
    if (frozen) {
      const auto numbers = array_in(*frozen);
      if (!numbers || numbers->data.empty())
        return config.bad("post_training_scale", "numbers");
      MR_TRY(how.frozen, spread(config, "post_training_scale", *numbers, weights));
      const int unsigned_bits = static_cast<int>(linear.bits) - (linear.keep_negative ? 1 : 0);
      for (float& scale : how.frozen)
        scale = std::ldexp(scale, -unsigned_bits);
    }
    const FixedType integers{.is_signed = true, .width = static_cast<int>(linear.bits)};
    return combine(weights, auto_bits(weights, how), integers, config.where());
  }
  MR_TRY(auto scale, spread(config, "alpha", alpha.numbers, weights));
  if (linear.is_sign()) {
    ScaledIntegers q = signs(weights, false);
    q.scale = std::move(scale);
    return combine(weights, q, FixedType{.is_signed = true, .width = 2}, config.where());
  }
  if (alpha.is_one())
    return QuantizedWeights{std::move(weights), graph::Requantize{to}, config.where(), {}};
  auto q = ScaledIntegers::of(weights);
  q.scale = std::move(scale);
  for (size_t i = 0; i < weights.data.size(); ++i) {
    q.integers[i] = static_cast<float>(requantize(weights.data[i], to));
    q.scale[i] = std::ldexp(q.scale[i], -to.type.frac_bits);
  }
  const FixedType integers{.is_signed = to.type.is_signed, .width = to.type.width};
  return combine(weights, q, integers, config.where());
}

Result<QuantizedWeights> quantized_linear(const QuantizerSpec& spec, const FloatTensor& weights,
                                          bool is_trainable) {
  Config config = spec.config();
  MR_TRY(LinearQuantizer linear, read_linear(config));
  MR_TRY(const Alpha alpha, read_alpha(config, is_trainable));
  if (is_trainable && !config.has("alpha"))
    linear.is_symmetric = true;
  MR_TRY(const Quantizer to, linear.quantizer(config));
  const AutoLinear how{
      .clip_min = linear.is_sign() ? -0.5F
                                   : static_cast<float>(to.type.min_raw()) +
                                         (linear.keep_negative && linear.is_symmetric ? 1.0F : 0),
      .clip_max = linear.is_sign() ? 0.5F : static_cast<float>(to.type.max_raw()),
      .keep_negative = linear.keep_negative,
      .is_sign = linear.is_sign(),
      .is_power_of_two = alpha.kind == Alpha::Kind::AutoPo2};
  ScaledIntegers q;
  if (alpha.is_auto()) {
    q = auto_linear(weights, how);
  } else {
    q = ScaledIntegers::of(weights);
    MR_TRY(q.scale, spread(config, "alpha", alpha.numbers, weights));
    for (float& scale : q.scale)
      scale = std::ldexp(scale, -to.type.frac_bits);
    round_linear(weights, how, q);
  }
  // Of one bit the integers are -1/2 and 1/2.
  const FixedType integers = linear.is_sign()
                                 ? FixedType{.is_signed = true, .width = 2, .frac_bits = 1}
                                 : FixedType{to.type.is_signed, to.type.width, 0};
  return combine(weights, q, integers, config.where());
}

Result<QuantizedWeights> binary(const QuantizerSpec& spec, const FloatTensor& weights,
                                bool is_trainable) {
  Config config = spec.config();
  MR_TRY(const Alpha alpha, read_alpha(config, is_trainable));
  const bool is_bernoulli = spec.name == "bernoulli";
  MR_TRY(const bool is_01, config.boolean("use_01", is_bernoulli));
  ScaledIntegers q = signs(weights, is_01);
  if (alpha.is_auto()) {
    fit_scale(weights, alpha.kind == Alpha::Kind::AutoPo2, q);
  } else {
    MR_TRY(q.scale, spread(config, "alpha", alpha.numbers, weights));
  }
  return combine(weights, q, FixedType{.is_signed = true, .width = 2}, config.where());
}

Result<QuantizedWeights> ternary(const QuantizerSpec& spec, const FloatTensor& weights,
                                 bool is_trainable) {
  Config config = spec.config();
  MR_TRY(const Alpha alpha, read_alpha(config, is_trainable));
  constexpr int64_t MaxUnrolls = 1000;
  MR_TRY(const int64_t unrolls, config.integer("number_of_unrolls", 5));
  if (unrolls < 1 || unrolls > MaxUnrolls)
    return config.bad("number_of_unrolls", fmt::format("1 to {}", MaxUnrolls));
  ScaledIntegers q;
  if (alpha.is_auto()) {
    if (config.has("threshold"))
      return config.bad("threshold", "none where alpha is computed");
    q = auto_ternary(weights, alpha.kind == Alpha::Kind::AutoPo2, unrolls);
  } else {
    MR_TRY(const double threshold, config.number("threshold", TernaryThreshold));
    q = ScaledIntegers::of(weights);
    MR_TRY(q.scale, spread(config, "alpha", alpha.numbers, weights));
    for (size_t i = 0; i < weights.data.size(); ++i) {
      const auto number = static_cast<float>(weights.data[i]);
      const bool is_large = std::abs(number) >= static_cast<float>(threshold);
      q.integers[i] = is_large ? static_cast<float>((number > 0) - (number < 0)) : 0;
    }
  }
  return combine(weights, q, FixedType{.is_signed = true, .width = 2}, config.where());
}

Result<QuantizedWeights> power_of_two(const QuantizerSpec& spec, FloatTensor weights) {
  MR_TRY(const PowerOfTwo quantizer, PowerOfTwo::read(spec));
  for (double& number : weights.data)
    number = quantizer(static_cast<float>(number));
  return QuantizedWeights{std::move(weights), {}, spec.config().where(), {}};
}

/// quantized_relu where it only rounds and clamps.
Result<QuantizedWeights> rectified(const QuantizerSpec& spec, FloatTensor weights) {
  Config config = spec.config();
  MR_TRY(const int64_t bits, config.integer("bits", 8));
  MR_TRY(const int64_t integer, config.integer("integer", 0));
  for (const std::string_view key : {"use_sigmoid", "negative_slope"})
    MR_TRY_STATUS(config.refuse(key));
  MR_TRY(const bool is_clipped, config.boolean("is_quantized_clip", true));
  if (!is_clipped)
    MR_TRY_STATUS(config.refuse("relu_upper_bound"));
  MR_TRY(const FixedType type, fixed_type(config, false, bits, integer));
  return QuantizedWeights{std::move(weights), graph::Requantize{{type}}, config.where(), {}};
}

}  // namespace

Result<QuantizedWeights> quantize_weights(const QuantizerSpec& spec, FloatTensor weights,
                                          bool is_trainable) {
  if (spec.name == "quantized_bits")
    return quantized_bits(spec, std::move(weights), is_trainable);
  if (spec.name == "quantized_linear")
    return quantized_linear(spec, weights, is_trainable);
  if (spec.name == "binary" || spec.name == "stochastic_binary" || spec.name == "bernoulli")
    return binary(spec, weights, is_trainable);
  if (spec.name == "ternary" || spec.name == "stochastic_ternary")
    return ternary(spec, weights, is_trainable);
  if (spec.name == "quantized_po2" || spec.name == "quantized_relu_po2")
    return power_of_two(spec, std::move(weights));
  if (spec.name == "quantized_relu")
    return rectified(spec, std::move(weights));
  return error(messages::UnknownQuantizer, spec.where, spec.name, spec.role);
}

Result<FloatTensor> quantized_values(const QuantizerSpec& spec, FloatTensor weights,
                                     bool is_trainable) {
  MR_TRY(QuantizedWeights quantized, quantize_weights(spec, std::move(weights), is_trainable));
  FloatTensor values = std::move(quantized.numbers);
  for (size_t i = 0; i < values.data.size(); ++i) {
    double& value = values.data[i];
    if (quantized.step) {
      const Quantizer to = quantized.step->at(i);
      value = to.type.to_double(requantize(value, to));
    }
    if (!quantized.scale.empty())
      value = static_cast<float>(value * quantized.scale[i % quantized.scale.size()]);
  }
  return values;
}

}  // namespace millrace::frontends::keras
