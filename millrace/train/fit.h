// SPDX-License-Identifier: Apache-2.0
// The one place where LibTorch is used: everything behind these two functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "millrace/data/image_set.h"
#include "millrace/train/letter_network.h"

namespace millrace::train {

/// What an epoch has come to.
struct EpochReport {
  std::string_view phase;  ///< "float" or "quantised"
  int epoch = 0;           ///< from 1
  int epochs = 0;
  double validation_auc = 0;
};

struct FitOptions {
  uint64_t seed = 1;
  int epochs = 40;  ///< of each phase
  std::optional<QuantizerSpec> quantizer;
  /// How much all adders of the multiplications weigh beside the loss; 0: not at all.
  double sparsity = 0;
  std::function<void(const EpochReport&)> on_epoch;
};

/// A network trained in real numbers, and the one that training went on to with quantisers.
struct FittedNetwork {
  LetterParameters float_parameters;
  LetterParameters quantised_parameters;  ///< multiples of the quantiser's step; float without one
};

/// Trains the letter network, first in real numbers, then with fake quantisation and
/// straight-through estimators. A fifth of the training images, chosen by the seed, validates:
/// each phase keeps its epoch with the best validation AUC; with sparsity, the quantised phase
/// keeps the cheapest by adder_cost() of those that come close to it. One thread; the result
/// depends on the images and the options alone.
FittedNetwork fit_letters(const data::ImageSet& train, const FitOptions& options);

/// The logits that LibTorch computes in double precision, quantised where a quantiser is given.
std::vector<double> forward_letters(const LetterParameters& parameters,
                                    const std::optional<QuantizerSpec>& quantizer,
                                    const data::ImageSet& images);

}  // namespace millrace::train
