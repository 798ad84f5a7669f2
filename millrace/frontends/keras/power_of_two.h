// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "millrace/frontends/keras/quantizer.h"

namespace millrace::frontends::keras {

/// The threshold of ternary where none is given.
inline constexpr double TernaryThreshold = 0.33;

/// quantized_po2 and quantized_relu_po2: to a power of two.
///
/// Semantics    with e = clip(round(log2 |x|), min_exponent, max_exponent), round half
///              to even or down (log2_rounding); quadratic: e is that of the root, doubled. Below
///              1e-7, |x| becomes 2^min_exponent; above max_value, max_value. Zero is positive.
///              relu: of negative numbers -2^e of |x| * negative_slope; 2^min_exponent without one.
/// Source       QKeras 0.9.0, quantizers.py. Departure: the logarithm is rounded exactly; that of
///              TensorFlow is off by a last bit of float32 or not, as its loops are vectorised.
class PowerOfTwo {
public:
  /// Errors   exponents that float32 does not have; arguments out of range.
  static Result<PowerOfTwo> read(const QuantizerSpec& spec);

  double operator()(float x) const;

  /// The same as steps: the smallest result, and where which number is added to it, in rising
  /// order. "From" is the smallest float32 number that has the step behind it.
  struct Step {
    float from;
    double height;
  };
  struct Steps {
    double lowest;
    std::vector<Step> steps;
  };
  Steps steps() const;

private:
  float power(float magnitude) const;

  bool is_relu_ = false, is_quadratic_ = false, rounds_down_ = false;
  int min_exponent_ = 0, max_exponent_ = 0;
  float negative_slope_ = 0;
  std::optional<float> max_value_;
};

}  // namespace millrace::frontends::keras
