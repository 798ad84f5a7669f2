// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/keras/layer_call.h"

namespace millrace::frontends::keras {

/// The parameters of a normalisation by channel.
struct Normalization {
  bool has_scale = true, has_center = true;
  double epsilon = 1e-3;
};

/// Reads the options of BatchNormalization over an input of that rank, the batch included.
/// Errors   an axis other than the last.
Result<Normalization> read_normalization(LayerCall& call, size_t rank);

/// The weights that it has; `owner` as in WeightSpec.
void append_weights(const Normalization& normalization, int64_t channels, std::string_view owner,
                    std::vector<WeightSpec>& specs);

/// scale = gamma / sqrt(variance + epsilon) and offset = beta + (bias - mean) * scale, computed in
/// double and rounded to float32. No bias: zero.
/// Errors   they are not finite.
struct ScaleAndOffset {
  FloatTensor scale, offset;
};
Result<ScaleAndOffset> scale_and_offset(LayerCall& call, const Normalization& normalization,
                                        const LayerWeights& weights, int64_t channels,
                                        const FloatTensor* bias = nullptr);

/// True for QKeras' layers that fold a normalisation into their kernel ("...Batchnorm").
bool is_folded(const LayerCall& call);

/// The kernel and bias of a layer with its normalisation folded in, if it has one, before their
/// quantisers. The last `inner` extents of the kernel count its outputs.
struct FoldedWeights {
  FloatTensor kernel;
  std::optional<FloatTensor> bias;
};
Result<FoldedWeights> read_folded(LayerCall& call, std::string_view kernel_name,
                                  const Shape& kernel_shape, int64_t outputs, bool use_bias,
                                  size_t rank);

}  // namespace millrace::frontends::keras
