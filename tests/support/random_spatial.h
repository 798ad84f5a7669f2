// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "millrace/graph/graph.h"

namespace millrace::testing {

/// What random_spatial_network() may choose from. All bounds are inclusive.
struct RandomSpatialOptions {
  int64_t max_extent = 7;  ///< height and width of the input
  int64_t max_channels = 4;
  int64_t max_elements = 600;  ///< of a map, about
  int max_value_bits = 10;     ///< of the input and of every requantised value
  int max_weight_bits = 5;
  int max_layers = 6;
};

/// A random exact network of operations on maps, with one HWC input and one output: convolutions
/// with groups and dilation, transposed convolutions, means and maxima of windows, upsampling,
/// padding, slices, transpositions, reshapes and concatenations, some of them of earlier values or
/// constants. It may end in vectors.
///
/// The same state of `random` and the same options give the same network, on every platform.
graph::Graph random_spatial_network(std::mt19937_64& random,
                                    const RandomSpatialOptions& options = {});

}  // namespace millrace::testing
