// SPDX-License-Identifier: Apache-2.0
// The classes of layers, by family.
#pragma once

#include <span>

#include "millrace/frontends/keras/layer_call.h"

namespace millrace::frontends::keras {

/// What is known about a class; null where nothing is.
const LayerRule* find_layer(std::string_view class_name);

std::span<const LayerRule> dense_layers();
std::span<const LayerRule> convolution_layers();
std::span<const LayerRule> pooling_layers();
std::span<const LayerRule> shape_layers();
std::span<const LayerRule> merge_layers();
std::span<const LayerRule> activation_layers();
std::span<const LayerRule> normalization_layers();
std::span<const LayerRule> hgq_layers();
std::span<const LayerRule> hgq2_layers();
std::span<const LayerRule> hgq2_einsum_layers();
std::span<const LayerRule> hgq2_operation_layers();
std::span<const LayerRule> hgq2_table_layers();

/// Appends the sum over the marked axes of x, which keep an extent of 1.
/// Errors   sums of more numbers than a kernel may have.
Result<Value> sum_axes(LayerCall& call, std::string_view suffix, const Value& x,
                       const std::vector<bool>& summed);

/// The options of a convolution that is neither by channel nor transposed.
struct ConvolutionOptions {
  graph::Window window;
  Shape kernel;  ///< extents of the kernel, one for each dimension
  int64_t filters = 0, groups = 1;
};
Result<ConvolutionOptions> read_convolution(LayerCall& call);

/// The window of a convolution or pool over a map, in the graph's two dimensions.
struct WindowOptions {
  int dimensions = 2;                             ///< 1: of a sequence
  std::vector<int64_t> kernel, stride, dilation;  ///< one for each dimension
  std::string padding;                            ///< "valid", "same" or "causal"
};
/// Places the window. Source: TensorFlow, "same" gives ceil(extent / stride) positions.
/// Errors   numbers out of range, a window that does not fit.
Result<graph::Window> place_window(LayerCall& call, const WindowOptions& options, const Value& x);
/// The shape of what a window gives.
Shape window_shape(const graph::Window& window, const Value& x, int64_t channels);

}  // namespace millrace::frontends::keras
