// SPDX-License-Identifier: Apache-2.0
// Source   QKeras 0.9.0, quantizers.py. Departure: means are summed in double, whose order does not
//          matter; TensorFlow's float32 sums differ in their last bits from machine to machine.
#include "millrace/frontends/keras/weight_scale.h"

#include <algorithm>
#include <cmath>

namespace millrace::frontends::keras {
namespace {

size_t channels_of(const FloatTensor& weights) {
  return weights.shape.empty() ? 1 : static_cast<size_t>(weights.shape.back());
}

float as_float(double x) {
  return static_cast<float>(x);
}

float sign(float x) {
  return static_cast<float>((x > 0) - (x < 0));
}

}  // namespace

float nearest_power_of_two(float x) {
  const float exponent = std::nearbyint(std::log(x) / as_float(std::log(2.0)));
  return std::isfinite(exponent) ? std::ldexp(1.0F, static_cast<int>(exponent)) : 0;
}

std::vector<float> channel_maxima(const FloatTensor& weights, bool is_signed) {
  const size_t count = weights.data.size();
  const size_t channels = weights.shape.size() > 1 ? channels_of(weights) : 1;
  std::vector<float> maxima(channels, is_signed ? 0 : -INFINITY);
  for (size_t i = 0; i < count; ++i) {
    const float weight = as_float(weights.data[i]);
    float& maximum = maxima[i % channels];
    maximum = std::max(maximum, is_signed ? std::abs(weight) : weight);
  }
  std::vector<float> all(count);
  for (size_t i = 0; i < count; ++i)
    all[i] = maxima[i % channels];
  return all;
}

void fit_scale(const FloatTensor& weights, bool is_power_of_two, ScaledIntegers& q) {
  const size_t count = weights.data.size();
  const size_t channels = weights.shape.size() > 1 ? channels_of(weights) : count;
  std::vector<double> products(channels), squares(channels);
  for (size_t i = 0; i < count; ++i) {
    const double integer = q.integers[i];
    products[i % channels] += weights.data[i] * integer;
    squares[i % channels] += integer * integer;
  }
  const double rows =
      static_cast<double>(count) / static_cast<double>(std::max<size_t>(channels, 1));
  for (size_t i = 0; i < count; ++i) {
    const float qx = as_float(products[i % channels] / rows);
    const float qq = as_float(squares[i % channels] / rows);
    const float scale = qx / (qq + Epsilon);
    q.scale[i] = is_power_of_two ? nearest_power_of_two(scale + Epsilon) : scale;
  }
}

ScaledIntegers auto_bits(const FloatTensor& weights, const AutoBits& how) {
  const size_t count = weights.data.size();
  FloatTensor x = weights;
  for (double& number : x.data)
    number = as_float(number) / how.factor;
  const float half_levels = as_float(std::ldexp(1.0, static_cast<int>(how.bits) - 1) - 1);
  auto q = ScaledIntegers::of(weights);
  const auto round = [&] {
    for (size_t i = 0; i < count; ++i) {
      const float number = as_float(x.data[i]);
      const float steps = std::floor(std::abs(number) / q.scale[i] + 0.5F);
      q.integers[i] = sign(number) * (steps < half_levels ? steps : half_levels);
    }
  };
  if (!how.frozen.empty()) {
    q.scale = how.frozen;
    round();
  } else {
    const auto maxima = channel_maxima(x, true);
    for (size_t i = 0; i < count; ++i)
      q.scale[i] = maxima[i] * 2 / (2 * half_levels);
    if (how.is_power_of_two) {
      for (float& scale : q.scale)
        scale = nearest_power_of_two(scale + Epsilon);
      constexpr int Iterations = 5;
      for (int i = 0; i < Iterations; ++i) {
        round();
        fit_scale(x, true, q);
      }
    }
    if (!how.is_power_of_two || how.is_recent)
      round();
  }
  for (float& scale : q.scale)
    scale *= how.factor;
  return q;
}

void round_linear(const FloatTensor& weights, const AutoLinear& how, ScaledIntegers& q) {
  const float shift = how.is_sign ? 0.5F : 0;
  for (size_t i = 0; i < weights.data.size(); ++i) {
    const float scaled = as_float(weights.data[i]) / q.scale[i];
    const float clipped = std::min(std::max(scaled, how.clip_min), how.clip_max);
    q.integers[i] = std::nearbyint(clipped - shift) + shift;
  }
}

ScaledIntegers auto_linear(const FloatTensor& weights, const AutoLinear& how) {
  const size_t count = weights.data.size();
  auto q = ScaledIntegers::of(weights);
  // Of a vector each element is a channel of its own here.
  const auto maxima =
      weights.shape.size() > 1 ? channel_maxima(weights, how.keep_negative) : std::vector<float>();
  for (size_t i = 0; i < count; ++i) {
    const float number = as_float(weights.data[i]);
    const float maximum = !maxima.empty()     ? maxima[i]
                          : how.keep_negative ? std::abs(number)
                                              : number;
    const float scale = maximum * (how.keep_negative ? 2.0F : 1.0F) / (how.clip_max - how.clip_min);
    q.scale[i] = std::max(scale, Epsilon);
  }
  if (how.is_power_of_two) {
    for (float& scale : q.scale)
      scale = nearest_power_of_two(scale + Epsilon);
    const int iterations = how.is_sign ? 1 : 5;
    for (int i = 0; i < iterations; ++i) {
      const std::vector<float> last = q.scale;
      round_linear(weights, how, q);
      fit_scale(weights, true, q);
      if (q.scale == last)
        break;
    }
  }
  round_linear(weights, how, q);
  return q;
}

ScaledIntegers auto_ternary(const FloatTensor& weights, bool is_power_of_two, int64_t unrolls) {
  auto q = ScaledIntegers::of(weights);
  q.scale = channel_maxima(weights, true);
  for (float& scale : q.scale) {
    scale = 2 * scale / 3.0F;
    if (is_power_of_two)
      scale = nearest_power_of_two(scale + Epsilon);
  }
  for (int64_t unroll = 0; unroll < unrolls; ++unroll) {
    for (size_t i = 0; i < weights.data.size(); ++i) {
      const float number = as_float(weights.data[i]);
      const float rounded = q.scale[i] * std::nearbyint(number / q.scale[i]);
      q.integers[i] = std::abs(rounded) >= q.scale[i] / 2 ? sign(number) : 0;
    }
    fit_scale(weights, is_power_of_two, q);
  }
  return q;
}

}  // namespace millrace::frontends::keras
