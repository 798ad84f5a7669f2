// SPDX-License-Identifier: Apache-2.0
// QKeras' quantisers applied to values that are computed.
// Source   QKeras 0.9.0, quantizers.py
#include <cmath>

#include "millrace/frontends/keras/layer_call.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/frontends/keras/power_of_two.h"

namespace millrace::frontends::keras {
namespace {

/// A quantiser at work. Operations are named LAYER.SUFFIX, the last one LAYER where the layer is
/// nothing but the quantiser.
class ActivationQuantizer {
public:
  ActivationQuantizer(LayerCall& call, const QuantizerSpec& spec)
      : call_(call), spec_(spec), config_(spec.config()), last_(spec.name) {
    if (call.class_name() == "QActivation")
      last_ = "";
  }

  Result<Value> apply(const Value& x) {
    const std::string& name = spec_.name;
    if (name == "quantized_bits" || name == "quantized_linear")
      return linear(x);
    if (name == "quantized_relu")
      return relu(x);
    if (name == "quantized_tanh")
      return tanh(x);
    if (name == "quantized_sigmoid")
      return sigmoid(x);
    if (name == "quantized_hswish")
      return hswish(x);
    if (name == "quantized_po2" || name == "quantized_relu_po2")
      return power_of_two(x);
    if (name == "binary" || name == "stochastic_binary" || name == "bernoulli")
      return binary(x);
    if (name == "ternary" || name == "stochastic_ternary")
      return ternary(x);
    return error(messages::UnknownQuantizer, spec_.where, name, spec_.role);
  }

private:
  /// The name of an operation on the way; `is_last`: of the result.
  std::string suffix(std::string_view part, bool is_last = false) const {
    return is_last ? last_ : fmt::format("{}.{}", spec_.name, part);
  }

  Result<Value> requantize(const Value& x, const Quantizer& to, bool is_last,
                           std::string_view part = "quantized") {
    return call_.map(suffix(part, is_last), graph::Requantize{to}, x);
  }

  /// alpha, which must be given.
  Result<double> alpha() {
    MR_TRY(const Alpha alpha, read_alpha(config_, false));
    if (alpha.is_auto())
      return error(messages::DataDependent, spec_.where, spec_.name);
    if (alpha.numbers.data.size() != 1)
      return config_.bad("alpha", "one number");
    return static_cast<float>(alpha.numbers.data[0]);
  }

  Result<Value> scaled(const Value& x, double factor) {
    return call_.with_number<graph::Mul>(suffix("", true), x, factor);
  }

  // quantized_bits: alpha * round(x); quantized_linear: alpha * round(x / alpha).
  Result<Value> linear(const Value& x) {
    MR_TRY(const LinearQuantizer how, read_linear(config_));
    MR_TRY(const double factor, alpha());
    MR_TRY(Quantizer to, how.quantizer(config_));
    MR_TRY_STATUS(config_.refuse("post_training_scale"));
    const bool is_linear = spec_.name == "quantized_linear";
    if (how.is_sign()) {
      // One bit of quantized_linear is half of its step, 2^integer.
      const double size =
          is_linear ? std::ldexp(factor, static_cast<int>(how.integer) - 1) : factor;
      MR_TRY(const Value sign, call_.map(suffix("sign", size == 1), graph::Binarize{}, x));
      return size == 1 ? Result<Value>(sign) : scaled(sign, size);
    }
    if (factor == 1)
      return requantize(x, to, true);
    int exponent = 0;
    if (is_linear && (factor <= 0 || std::frexp(factor, &exponent) != 0.5))
      return config_.bad("alpha", "a power of two, by which x can be divided exactly");
    if (is_linear) {
      to.type.frac_bits -= exponent - 1;
      return requantize(x, to, true);
    }
    MR_TRY(const Value rounded, requantize(x, to, false));
    return scaled(rounded, factor);
  }

  // Without a slope: to an unsigned type. With one: to a signed type, down to -slope * 2^integer.
  Result<Value> relu(const Value& x) {
    MR_TRY(const int64_t bits, config_.integer("bits", 8));
    MR_TRY(const int64_t integer, config_.integer("integer", 0));
    MR_TRY(const bool use_sigmoid, config_.boolean("use_sigmoid", false));
    MR_TRY(const double slope, config_.number("negative_slope", 0));
    MR_TRY(const bool is_clipped, config_.boolean("is_quantized_clip", true));
    const bool is_bounded = !is_clipped && config_.has("relu_upper_bound");
    Value y = x;
    if (use_sigmoid) {
      if (slope != 0 || is_bounded)
        return config_.bad("use_sigmoid", "none where negative_slope or relu_upper_bound is set");
      return sigmoid_relu(x, bits, integer);
    }
    if (slope == 0) {
      MR_TRY(const FixedType type, fixed_type(config_, false, bits, integer));
      MR_TRY(y, requantize(x, {type}, !is_bounded));
    } else {
      MR_TRY(y, leaky_relu(x, bits, integer, slope, !is_bounded));
    }
    if (!is_bounded)
      return y;
    MR_TRY(const double bound, config_.number("relu_upper_bound"));
    return call_.with_number<graph::Minimum>(suffix("", true), y, static_cast<float>(bound));
  }

  Result<Value> leaky_relu(const Value& x, int64_t bits, int64_t integer, double slope,
                           bool is_last) {
    int exponent = 0;
    if (slope < 0 || std::frexp(slope, &exponent) != 0.5 || slope > 1)
      return config_.bad("negative_slope", "a power of two, at most 1");
    MR_TRY(const FixedType type, fixed_type(config_, true, bits, integer));
    const double lowest = -slope * std::ldexp(1.0, static_cast<int>(integer));
    if (type.to_double(type.min_raw()) * slope != lowest ||
        -lowest < std::ldexp(1.0, -type.frac_bits))
      return config_.bad("negative_slope", "not below the step of the quantiser");
    MR_TRY(const Value bent, call_.with_number<graph::Prelu>(suffix("slope"), x, slope));
    MR_TRY(const Value rounded, requantize(bent, {type}, is_last && slope == 1));
    if (slope == 1)
      return rounded;
    return call_.with_number<graph::Maximum>(suffix("bounded", is_last), rounded, lowest);
  }

  // m_i * clip(2 * round(m * (x / (2 * m_i) + 1/2)) / m - 1, 0, 1 - 1/m), with m = 2^bits and
  // m_i = 2^integer. The clip inside of the rounding changes nothing behind the one outside.
  Result<Value> sigmoid_relu(const Value& x, int64_t bits, int64_t integer) {
    MR_TRY(const FixedType type, fixed_type(config_, false, bits, 0));
    MR_TRY(const FixedType inner, fixed_type(config_, false, bits + 1, 1));
    MR_TRY_STATUS(fixed_type(config_, false, bits, integer));
    const double size = std::ldexp(1.0, static_cast<int>(integer));
    MR_TRY(Value y, call_.with_number<graph::Mul>(suffix("scaled"), x, 0.5 / size));
    MR_TRY(y, call_.with_number<graph::Add>(suffix("shifted"), y, 0.5));
    MR_TRY(y, requantize(y, {inner}, false));
    MR_TRY(y, call_.with_number<graph::Mul>(suffix("doubled"), y, 2 * size));
    MR_TRY(y, call_.with_number<graph::Sub>(suffix("centred"), y, size));
    MR_TRY(y, call_.map(suffix("relu"), graph::Relu{}, y));
    return call_.with_number<graph::Minimum>(suffix("", true), y,
                                             size * type.to_double(type.max_raw()));
  }

  // The hard tanh is a clip to [-1, 1], which the quantiser does as well.
  Result<Value> tanh(const Value& x) {
    MR_TRY(const int64_t bits, config_.integer("bits", 8));
    MR_TRY(const bool is_symmetric, config_.boolean("symmetric", false));
    MR_TRY(const bool is_real, config_.boolean("use_real_tanh", false));
    MR_TRY(const FixedType type, fixed_type(config_, true, bits, 0));
    const Quantizer to{type, Rounding::HalfEven,
                       is_symmetric ? Overflow::SaturateSymmetric : Overflow::Saturate};
    if (!is_real)
      return requantize(x, to, true);
    MR_TRY(const Value y, call_.map(suffix("tanh"), graph::Unary{graph::UnaryFunction::Tanh}, x));
    return requantize(y, to, true);
  }

  // The hard sigmoid is x / 2 + 1/2 clipped to [0, 1], which the quantiser does as well.
  Result<Value> sigmoid(const Value& x) {
    MR_TRY(const int64_t bits, config_.integer("bits", 8));
    MR_TRY(const bool is_symmetric, config_.boolean("symmetric", false));
    MR_TRY(const bool is_real, config_.boolean("use_real_sigmoid", false));
    MR_TRY(const FixedType type, fixed_type(config_, false, bits, 0));
    Value y;
    if (is_real) {
      MR_TRY(y, call_.map(suffix("sigmoid"), graph::Unary{graph::UnaryFunction::Sigmoid}, x));
    } else {
      MR_TRY(y, call_.with_number<graph::Mul>(suffix("scaled"), x, 0.5));
      MR_TRY(y, call_.with_number<graph::Add>(suffix("shifted"), y, 0.5));
    }
    MR_TRY(y, requantize(y, {type}, !is_symmetric));
    if (!is_symmetric)
      return y;
    return call_.with_number<graph::Maximum>(suffix("", true), y, type.to_double(1));
  }

  Result<Value> hswish(const Value& x) {
    constexpr double Shift = 3, Bound = 6;
    MR_TRY(const double shift, config_.number("relu_shift", Shift));
    MR_TRY(const double bound, config_.number("relu_upper_bound", Bound));
    if (shift != Shift)
      return config_.bad("relu_shift", "3");
    if (bound != Bound)
      return config_.bad("relu_upper_bound", "6");
    MR_TRY(const bool keeps_negative, config_.boolean("keep_negative", true));
    if (!keeps_negative)
      return config_.bad("keep_negative", "true");
    MR_TRY(const Value y,
           call_.map(suffix("hswish"), graph::Unary{graph::UnaryFunction::HardSwish}, x));
    return linear(y);
  }

  /// x >= from ? 1 : -1
  Result<Value> above(const Value& x, std::string_view part, double from) {
    const std::string name = suffix(part);
    MR_TRY(const Value shifted, call_.with_number<graph::Sub>(name + ".shifted", x, from));
    return call_.map(name, graph::Binarize{}, shifted);
  }

  // The lowest number, and half of each step's height times (1 or -1, and 1).
  Result<Value> power_of_two(const Value& x) {
    MR_TRY(const PowerOfTwo quantizer, PowerOfTwo::read(spec_));
    MR_TRY(const bool is_quadratic, config_.boolean("quadratic_approximation", false));
    if (is_quadratic)
      return config_.bad("quadratic_approximation", "none: it does not rise near 0");
    const auto [lowest, steps] = quantizer.steps();
    double base = lowest;
    for (const auto& step : steps)
      base += step.height / 2;
    MR_TRY(Value sum, call_.with_number<graph::Mul>(suffix("zero"), x, 0));
    for (size_t i = 0; i < steps.size(); ++i) {
      MR_TRY(const Value sign, above(x, fmt::format("step{}", i), steps[i].from));
      MR_TRY(const Value part, call_.with_number<graph::Mul>(suffix(fmt::format("part{}", i)), sign,
                                                             steps[i].height / 2));
      MR_TRY(sum,
             call_.add(suffix(fmt::format("sum{}", i)), graph::Add{}, {sum.id, part.id}, x.shape));
    }
    return call_.with_number<graph::Add>(suffix("", true), sum, base);
  }

  // bernoulli becomes its most probable number, as of binary with use_01.
  Result<Value> binary(const Value& x) {
    MR_TRY(const double factor, alpha());
    MR_TRY(const bool is_01, config_.boolean("use_01", spec_.name == "bernoulli"));
    const bool is_plain = factor == 1 && !is_01;
    MR_TRY(Value y, call_.map(suffix("sign", is_plain), graph::Binarize{}, x));
    if (is_01) {
      MR_TRY(y, call_.map(suffix("positive", factor == 1), graph::Relu{}, y));
    }
    return factor == 1 ? Result<Value>(y) : scaled(y, factor);
  }

  // |x| >= threshold ? sign(x) : 0, as half of the difference of two signs.
  Result<Value> ternary(const Value& x) {
    MR_TRY(const double factor, alpha());
    MR_TRY(const double threshold, config_.number("threshold", TernaryThreshold));
    if (threshold <= 0)
      return config_.bad("threshold", "a positive number");
    const auto from = static_cast<float>(threshold);
    MR_TRY(const Value negative, call_.map(suffix("negative"), graph::Negate{}, x));
    MR_TRY(const Value high, above(x, "high", from));
    MR_TRY(const Value low, above(negative, "low", from));
    MR_TRY(const Value difference,
           call_.add(suffix("difference"), graph::Sub{}, {high.id, low.id}, x.shape));
    return scaled(difference, factor / 2);
  }

  LayerCall& call_;
  const QuantizerSpec& spec_;
  Config config_;
  std::string last_;
};

}  // namespace

Result<Value> quantize(LayerCall& call, const Value& x, const QuantizerSpec& spec) {
  return ActivationQuantizer(call, spec).apply(x);
}

}  // namespace millrace::frontends::keras
