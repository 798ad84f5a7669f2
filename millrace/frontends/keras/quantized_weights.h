// SPDX-License-Identifier: Apache-2.0
// QKeras' quantisers applied to weights, in float32 as QKeras does it.
#pragma once

#include <optional>
#include <vector>

#include "millrace/frontends/keras/quantizer.h"
#include "millrace/graph/ops/requantize.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::keras {

/// Weights behind a quantiser: step(numbers) * scale.
struct QuantizedWeights {
  FloatTensor numbers;  ///< in Keras' layout
  /// The quantiser, where it is one of fixed point; its types, if any, are of the last extent.
  std::optional<graph::Requantize> step;
  std::string step_where;  ///< which quantiser that is
  /// A factor for each index of the last extent that is no power of two; empty: 1.
  std::vector<double> scale;
};

/// Quantises weights.
///
/// `is_trainable`: the quantiser is that of a kernel, whose scale QKeras computes where alpha is
/// absent. Scales that are powers of two go into the numbers and types, others stay apart.
///
/// Errors   quantisers that are none of weights; arguments out of range.
/// Source   QKeras 0.9.0, quantizers.py; for is_recent its development version.
Result<QuantizedWeights> quantize_weights(const QuantizerSpec& spec, FloatTensor weights,
                                          bool is_trainable);

/// The same with the scale multiplied in, rounded to float32 as QKeras does it.
Result<FloatTensor> quantized_values(const QuantizerSpec& spec, FloatTensor weights,
                                     bool is_trainable);

}  // namespace millrace::frontends::keras
