// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::testing {

/// What random_network() may choose from. All bounds are inclusive.
struct RandomNetworkOptions {
  int64_t max_height = 12;
  int64_t max_width = 12;
  int64_t max_channels = 4;
  int max_value_bits = 12;  ///< of the input and of every requantised value
  int max_weight_bits = 6;
  int64_t max_kernel = 5;
  int64_t max_stride = 3;
  int max_map_layers = 4;   ///< operations on feature maps, requantisations not counted
  int64_t max_neurons = 6;  ///< outputs of a dense layer
  bool with_dense = true;   ///< may end in flatten and up to two dense layers
};

/// A random sequential network: exact, with one HWC input and one output.
///
/// The network is `input`, then map layers, then perhaps `flatten` and dense layers, then perhaps a
/// `table`. A map layer is one of
///   - conv2d or affine, then perhaps relu, max_pool or both, then requantize;
///   - max_pool, relu, requantize, or a table (on values of at most 8 bits) alone.
/// A convolution's paddings add up to less than its kernel, in each direction. Number formats are
/// signed and unsigned, with fraction bits also negative or above the width; requantisations use
/// every rounding and overflow mode, gain or lose fraction bits and mostly keep the values' range
/// in sight. About a third of the weights are 0. Values between requantisations never need more
/// than 64 bits.
///
/// The same state of `random` and the same options give the same network, on every platform.
graph::Graph random_network(std::mt19937_64& random, const RandomNetworkOptions& options = {});

/// Groups of operations that random_branching_network() may choose from. `relu`, `requantize` to
/// one type and tables are always there; `flatten` stands where a value may become a vector.
struct RandomBranchingOperations {
  bool joins = true;          ///< add, sub, mul, maximum, minimum
  bool functions = true;      ///< prelu, abs, negate, sign, binarize, square
  bool channel_types = true;  ///< requantize to types of single channels or elements
  bool reductions = true;     ///< reduce, top_k
  bool layers = true;         ///< dense, affine; conv2d and max_pool without strides and dilation
  bool windows = true;        ///< conv2d and max_pool with strides, dilation and any paddings
  bool groups = true;         ///< conv2d with groups, depthwise too; its windows as above
  bool transposed_convolutions = true;  ///< conv_transpose2d
  bool means = true;                    ///< avg_pool, the padding counted or not
  bool upsampling = true;               ///< upsample
  bool padding = true;                  ///< pad
  bool slices = true;                   ///< slice
  bool transpositions = true;           ///< transpose
  bool reshapes = true;                 ///< reshape, to maps and vectors
  bool concatenations = true;           ///< concat, of values and constants
};

/// What random_branching_network() may choose from. All bounds are inclusive.
struct RandomBranchingOptions {
  int64_t max_height = 6;  ///< of the inputs; at most max_extent
  int64_t max_width = 6;
  int64_t max_channels = 4;  ///< of every map
  int64_t max_extent = 8;    ///< height and width of every map
  int64_t max_vector = 16;   ///< elements of every vector that operations but outputs' read
  int max_value_bits = 10;   ///< of the inputs and of whatever operations read; at most 54
  int max_weight_bits = 5;
  int max_inputs = 3;
  int max_outputs = 3;
  int max_operations = 12;          ///< requantisations not counted
  bool with_maps = true;            ///< inputs may be maps; else they are vectors
  bool with_unlike_inputs = false;  ///< the inputs' shapes may differ
  RandomBranchingOperations operations = {};
};

/// A random feed-forward network: exact, with one or more inputs, all of one shape unless the
/// options say otherwise, and one or more outputs, whose values are used any number of times.
///
/// Each operation reads one or two of the values made so far, the newest more often: joins of equal
/// shapes, or with a constant for all, for each channel or for each element, or with what `reduce`
/// makes of a value; functions of elements, tables on values of at most 8 bits; layers; operations
/// on windows and movements of elements, in branches that joins and concatenations bring together
/// again. Wider values are requantised at once. An output may end in `reduce` or `top_k`.
///
/// The same state of `random` and the same options give the same network, on every platform.
graph::Graph random_branching_network(std::mt19937_64& random,
                                      const RandomBranchingOptions& options = {});

/// Raw integers of the type: a mixture of any, small, and extreme ones, by the same promise.
IntTensor random_tensor(std::mt19937_64& random, const graph::TensorType& type);

}  // namespace millrace::testing
