// SPDX-License-Identifier: Apache-2.0
// Scales that QKeras computes from weights ("auto", "auto_po2").
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/support/shape.h"

namespace millrace::frontends::keras {

/// Keras' epsilon.
inline constexpr float Epsilon = 1e-7F;

/// Integers with a scale for each channel: weight i becomes integer i * scale[channel i].
///
/// A channel is an index of the last extent. Of vectors, least squares takes each element for a
/// channel of its own, and maxima all elements for one, as QKeras does.
struct ScaledIntegers {
  std::vector<float> integers;
  std::vector<float> scale;  ///< one for each element

  static ScaledIntegers of(const FloatTensor& weights) {
    return {std::vector<float>(weights.data.size()), std::vector<float>(weights.data.size(), 1)};
  }
};

/// The nearest power of two by its logarithm.
float nearest_power_of_two(float x);

/// The largest magnitude of each weight's channel (`is_signed`), or the largest number.
std::vector<float> channel_maxima(const FloatTensor& weights, bool is_signed);

/// Sets the scale for which integers * scale come nearest to the weights.
void fit_scale(const FloatTensor& weights, bool is_power_of_two, ScaledIntegers& q);

/// quantized_bits with alpha "auto" or "auto_po2" and `bits` bits; `factor` = 2^integer.
/// `frozen` is the scale where it is given (post_training_scale); `is_recent` rounds again with
/// the last scale.
struct AutoBits {
  int64_t bits;
  float factor;
  bool is_power_of_two;
  bool is_recent;
  std::vector<float> frozen = {};  ///< one for each element, or empty
};
ScaledIntegers auto_bits(const FloatTensor& weights, const AutoBits& how);

/// quantized_linear with a computed scale; bounds of its integers.
struct AutoLinear {
  float clip_min, clip_max;
  bool keep_negative;
  bool is_sign;
  bool is_power_of_two;
};
ScaledIntegers auto_linear(const FloatTensor& weights, const AutoLinear& how);
/// quantized_linear with the scale that q holds.
void round_linear(const FloatTensor& weights, const AutoLinear& how, ScaledIntegers& q);

/// ternary with a computed scale.
ScaledIntegers auto_ternary(const FloatTensor& weights, bool is_power_of_two, int64_t unrolls);

}  // namespace millrace::frontends::keras
