// SPDX-License-Identifier: Apache-2.0
// The letter network as numbers and as a graph; nothing here trains.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "millrace/graph/graph.h"
#include "millrace/train/quantizer_spec.h"

namespace millrace::train {

/// 28x28x1 -> Conv 4@3x3 -> ReLU -> MaxPool 2 -> Conv 4@3x3 -> ReLU -> MaxPool 2 -> Flatten (100)
/// -> Dense 8 -> ReLU -> Dense 1 -> sigmoid.
struct LetterNetwork {
  static constexpr int64_t InputSize = 28;  ///< height and width of the image
  static constexpr int PixelBits = 8;       ///< pixel p stands for p * 2^-8

  /// One of the network's eight tensors.
  struct Slot {
    std::string_view name;
    std::array<int64_t, 4> extents;  ///< 0 behind the last
  };
  /// In graph layout: kernels KH x KW x C x F, dense weights N x M with N in HWC order.
  static constexpr std::array<Slot, 8> Slots = {{{"conv1.w", {3, 3, 1, 4}},
                                                 {"conv1.b", {4}},
                                                 {"conv2.w", {3, 3, 4, 4}},
                                                 {"conv2.b", {4}},
                                                 {"dense1.w", {100, 8}},
                                                 {"dense1.b", {8}},
                                                 {"dense2.w", {8, 1}},
                                                 {"dense2.b", {1}}}};
  static Shape shape(const Slot& slot);
};

/// The values of the eight tensors, in the order of LetterNetwork::Slots.
using LetterParameters = std::array<FloatTensor, LetterNetwork::Slots.size()>;

/// The number of single weights and biases: 1,005.
int64_t num_parameters(const LetterParameters& parameters);

/// Builds the network as a frontend would import it: real constants behind `requantize`
/// operations; without a quantiser, real numbers throughout.
graph::Graph build_letter_graph(const LetterParameters& parameters,
                                const std::optional<QuantizerSpec>& quantizer);

}  // namespace millrace::train
