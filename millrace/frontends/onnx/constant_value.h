// SPDX-License-Identifier: Apache-2.0
// Constants of a model on their way into the graph, still in ONNX's layout.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::onnx {

/// A quantiser that a constant passes through.
struct QuantStep {
  std::string name;  ///< of its node
  std::string where;
  Quantizer to;
  std::vector<FixedType> types = {};  ///< of each element; empty: all have to.type

  const FixedType& type(size_t element) const { return types.empty() ? to.type : types[element]; }
};

/// A constant: numbers, the quantisers behind them, and behind those a factor for each element.
struct ConstantValue {
  std::string name;    ///< of the initialiser
  std::string tensor;  ///< of the ONNX tensor, unique in the model
  std::string where;
  std::shared_ptr<const FloatTensor> value;
  std::vector<QuantStep> quantizers = {};
  std::shared_ptr<const FloatTensor> scale = nullptr;  ///< of value's shape; null: 1
  std::optional<FixedType> integer = std::nullopt;  ///< of whole numbers: their type in the model

  const Shape& shape() const { return value->shape; }
  bool is_plain() const { return quantizers.empty() && !scale; }
  /// The one number of a plain constant whose numbers are all the same.
  std::optional<double> uniform() const;
};

/// A change of a tensor's shape and of the order or number of its elements, not of the elements.
using Arrangement = std::function<FloatTensor(const FloatTensor&)>;

/// Applies an arrangement to the numbers, the quantisers' types and the factors. The result is
/// named after tensor `tensor`.
ConstantValue arranged(const ConstantValue& constant, const std::string& tensor,
                       const Arrangement& arrange);

/// The numbers that a constant stands for: quantised, then times the factors (in float32, as
/// frameworks multiply).
FloatTensor settled(const ConstantValue& constant);

/// Permutes extents: result extent i is extent order[i] of `in`. `order` is a permutation.
FloatTensor transpose(const FloatTensor& in, std::span<const int64_t> order);

/// The shape that two shapes broadcast to by ONNX's rules, if they do.
std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b);

/// Repeats a tensor up to a shape that it broadcasts to.
FloatTensor expand(const FloatTensor& in, const Shape& shape);

/// The vector of `channels` numbers that broadcasts as `in` does against 1 x channels x `inner`
/// ones: `in` may be a scalar or have extent `channels` there. None where it varies elsewhere.
std::optional<FloatTensor> broadcast_channels(const FloatTensor& in, int64_t channels, int inner);

}  // namespace millrace::frontends::onnx
