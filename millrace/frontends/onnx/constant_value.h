// SPDX-License-Identifier: Apache-2.0
// Constants of a model on their way into the graph, still in ONNX's layout.
#pragma once

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
};

/// A constant, and the quantisers behind it. Layout changes apply to the numbers before the
/// quantisers, which are the same for every element.
struct ConstantValue {
  std::string name;    ///< of the initialiser
  std::string tensor;  ///< of the ONNX tensor, unique in the model
  std::string where;
  std::shared_ptr<const FloatTensor> value;
  std::vector<QuantStep> quantizers;

  const Shape& shape() const { return value->shape; }
  /// The one number of a constant whose numbers are all the same.
  std::optional<double> uniform() const;
};

/// Permutes extents: result extent i is extent order[i] of `in`. `order` is a permutation.
FloatTensor transpose(const FloatTensor& in, std::span<const int64_t> order);

/// Turns rows in CHW order into HWC order: `in` is N or N x M with N = C * H * W; `chw` is empty
/// where the order already agrees.
FloatTensor rows_to_hwc(const FloatTensor& in, const Shape& chw);

/// The vector of `channels` numbers that broadcasts as `in` does against 1 x channels x `inner`
/// ones: `in` may be a scalar or have extent `channels` there. None where it varies elsewhere.
std::optional<FloatTensor> broadcast_channels(const FloatTensor& in, int64_t channels, int inner);

}  // namespace millrace::frontends::onnx
