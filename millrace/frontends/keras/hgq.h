// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/frontends/keras/layer_call.h"

namespace millrace::frontends::keras {

/// Which number of a parameter of `shape` meets element i of x.
class Repetition {
public:
  Repetition(const Shape& shape, const Shape& x) : x_(x), strides_(x.size(), 0) {
    int64_t stride = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
      const size_t from_end = shape.size() - 1 - i;
      if (shape[from_end] != 1)
        strides_[x.size() - 1 - i] = stride;
      stride *= shape[from_end];
    }
  }
  size_t operator()(int64_t i) const {
    int64_t index = 0;
    for (size_t axis = x_.size(); axis-- > 0; i /= x_[axis])
      index += i % x_[axis] * strides_[axis];
    return static_cast<size_t>(index);
  }

private:
  const Shape& x_;
  std::vector<int64_t> strides_;
};

/// A fixed-point quantiser whose types differ from element to element. The numbers have `shape`,
/// the batch included, and are repeated along extents of 1.
struct FixedParameters {
  Shape shape;
  std::vector<double> keep_negative;  ///< 1: signed
  std::vector<double> bits;           ///< the sign included; 0: the element is 0
  std::vector<double> integers;       ///< of those, left of the point, the sign included
  Rounding rounding = Rounding::Floor;
  Overflow overflow = Overflow::Wrap;
};

/// Quantises x.
/// Errors   a shape that does not fit x; types of no bits or too many.
Result<Value> quantize_fixed(LayerCall& call, const std::string& suffix, const Value& x,
                             const FixedParameters& parameters);

/// Reads a mode by ap_fixed's name.
Result<Rounding> read_rounding(Config& config, std::string_view key);
Result<Overflow> read_overflow(Config& config, std::string_view key);

}  // namespace millrace::frontends::keras
