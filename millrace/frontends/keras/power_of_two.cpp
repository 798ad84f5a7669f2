// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/power_of_two.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "millrace/frontends/keras/weight_scale.h"

namespace millrace::frontends::keras {
namespace {

// Float32 numbers as integers in the same order.
int64_t ordinal(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits >= 0 ? bits : -static_cast<int64_t>(bits & 0x7fffffff);
}
float of_ordinal(int64_t ordinal) {
  const auto magnitude = std::bit_cast<float>(static_cast<int32_t>(std::abs(ordinal)));
  return ordinal < 0 ? -magnitude : magnitude;
}

}  // namespace

Result<PowerOfTwo> PowerOfTwo::read(const QuantizerSpec& spec) {
  Config config = spec.config();
  PowerOfTwo result;
  result.is_relu_ = spec.name == "quantized_relu_po2";
  // 2^6 exponents are those of float32 almost to its ends.
  constexpr int64_t MaxExponentBits = 6;
  MR_TRY(const int64_t bits, config.integer("bits", 8));
  MR_TRY(result.is_quadratic_, config.boolean("quadratic_approximation", false));
  MR_TRY(const std::string rounding, config.text("log2_rounding", "rnd"));
  if (rounding != "rnd" && rounding != "floor")
    return config.bad("log2_rounding", "'rnd' or 'floor'");
  result.rounds_down_ = rounding == "floor";
  if (config.has("max_value")) {
    MR_TRY(const double max_value, config.number("max_value"));
    if (max_value <= 0)
      return config.bad("max_value", "a positive number");
    result.max_value_ = static_cast<float>(max_value);
  }
  MR_TRY(const double slope, config.number("negative_slope", 0));
  if (slope < 0)
    return config.bad("negative_slope", "at least 0");
  result.negative_slope_ = static_cast<float>(slope);
  const bool has_sign = !result.max_value_ || *result.max_value_ > 1;
  const int64_t exponent_bits = bits - (result.is_relu_ ? 0 : 1) - (has_sign ? 1 : 0);
  if (exponent_bits < 0 || exponent_bits > MaxExponentBits)
    return config.bad("bits", fmt::format("{} to {}", bits - exponent_bits,
                                          bits - exponent_bits + MaxExponentBits));
  result.min_exponent_ = -(1 << exponent_bits);
  result.max_exponent_ = (1 << exponent_bits) - 1;
  if (result.is_quadratic_)
    result.max_exponent_ = result.max_exponent_ / 2 * 2;
  return result;
}

float PowerOfTwo::power(float magnitude) const {
  if (magnitude < Epsilon)
    return std::ldexp(1.0F, min_exponent_);
  if (max_value_ && magnitude >= *max_value_)
    magnitude = *max_value_;
  // Of the root, half of it.
  const double logarithm = std::log2(static_cast<double>(magnitude)) * (is_quadratic_ ? 0.5 : 1.0);
  const double rounded = rounds_down_ ? std::floor(logarithm) : std::nearbyint(logarithm);
  const double clipped = std::clamp<double>(rounded, min_exponent_, max_exponent_);
  return std::ldexp(1.0F, static_cast<int>(clipped) * (is_quadratic_ ? 2 : 1));
}

double PowerOfTwo::operator()(float x) const {
  if (!is_relu_)
    return x >= 0 ? power(x) : -power(-x);
  if (x >= 0 || negative_slope_ == 0)
    return power(std::max(x, 0.0F));
  return -power(-x * negative_slope_);
}

// The function rises, so that each step is found by bisection. -0 counts as 0 here and there.
PowerOfTwo::Steps PowerOfTwo::steps() const {
  const float highest = std::numeric_limits<float>::max();
  Steps result{.lowest = (*this)(-highest), .steps = {}};
  int64_t here = ordinal(-highest);
  const int64_t end = ordinal(highest);
  while ((*this)(of_ordinal(here)) != (*this)(highest)) {
    const double value = (*this)(of_ordinal(here));
    int64_t low = here, high = end;  // the value is that at low, and another at high
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      ((*this)(of_ordinal(middle)) == value ? low : high) = middle;
    }
    result.steps.push_back({of_ordinal(high), (*this)(of_ordinal(high))-value});
    here = high;
  }
  return result;
}

}  // namespace millrace::frontends::keras
