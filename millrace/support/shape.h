// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace {

/// The extents of a tensor, outermost first. Feature maps are height x width x channels (HWC),
/// without a batch dimension; vectors have one extent.
using Shape = std::vector<int64_t>;

/// Number of elements: the product of all extents, 1 for the empty shape.
/// Errors   InternalError when the product exceeds 2^62 or an extent is negative.
int64_t num_elements(const Shape& shape);

/// "28x28x1"; "scalar" for the empty shape.
std::string to_string(const Shape& shape);

/// A dense row-major array: the last extent varies fastest.
template <class T>
struct Tensor {
  Shape shape;
  std::vector<T> data;  ///< num_elements(shape) elements

  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// Raw integers of a fixed-point tensor.
using IntTensor = Tensor<int64_t>;
/// Real numbers, as double.
using FloatTensor = Tensor<double>;

}  // namespace millrace
