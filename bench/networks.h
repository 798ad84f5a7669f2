// SPDX-License-Identifier: Apache-2.0
// Networks whose circuits are measured: exact graphs with weights drawn by seed.
#pragma once

#include <cstdint>

#include "millrace/graph/graph.h"

namespace millrace::bench {

/// What a convolution of a square map is like.
///
/// Range    as graph::Conv2D and graph::TensorType; size at least 3.
struct ConvolutionOptions {
  int64_t size = 30;     ///< pixels along each side of the input
  int64_t channels = 1;  ///< of the input
  int64_t filters = 8;
  uint64_t seed = 1;
};

/// One 3x3 convolution without padding; input, weights and biases are fixed<9,1>, its sums stay
/// exact.
graph::Graph conv2d_network(const ConvolutionOptions& options);

/// The same map through a depthwise 3x3 convolution, whose sums are requantised to fixed<9,1>, and
/// a pointwise one to the filters, whose sums stay exact.
graph::Graph separable_network(const ConvolutionOptions& options);

/// A residual network for images of 32x32x3: a convolution to 12 channels; three blocks of two
/// convolutions with 12, 24 and 48 channels, the latter two of stride 2 with a 1x1 convolution of
/// stride 2 as their shortcut; the global mean; a dense layer to 10 exact sums. Weights have 4
/// bits, values behind each ReLU are ufixed<6,2>, other sums fixed<7,3>.
graph::Graph resnet_network(uint64_t seed);

/// Dense layers 16-64-32-32-5, as jets are tagged with: input fixed<8,4>, weights of 6 bits, values
/// behind each ReLU ufixed<6,2>, 5 exact sums.
graph::Graph mlp_network(uint64_t seed);

}  // namespace millrace::bench
