// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "millrace/fixed/requantize.h"

namespace millrace::train {

/// How a network is quantised throughout: one width, as QKeras users choose it.
struct QuantizerSpec {
  int bits = 9;     ///< with the sign
  int integer = 4;  ///< without the sign

  /// Weights, biases and the logit: quantized_bits(bits, integer), to nearest even, saturating.
  Quantizer weights() const { return {.type = quantized_bits(bits, integer)}; }
  /// Activations behind a ReLU: quantized_relu(bits, integer).
  Quantizer activations() const { return {.type = quantized_relu(bits, integer)}; }

  friend bool operator==(const QuantizerSpec&, const QuantizerSpec&) = default;
};

/// Reads "fixed<W,I>" (ap_fixed: I counts the sign), "quantized_bits(b,i)" (i does not), or
/// "float", which is no quantiser.
/// Errors   another form; fewer than 2 or more than 16 bits; integer bits beyond the width.
Result<std::optional<QuantizerSpec>> parse_quantizer(const std::string& text);

}  // namespace millrace::train
