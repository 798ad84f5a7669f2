// SPDX-License-Identifier: Apache-2.0
// What a network's weights cost as constant multiplications.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "millrace/train/letter_network.h"
#include "millrace/train/trainer.h"

namespace millrace::train {

/// How often the hardware of a digit stands in the circuit that takes a row a cycle, in the order
/// of LetterNetwork::Slots: conv1 has 24 lanes, conv2, whose rows take two cycles, has 6, and the
/// multipliers of dense1 serve about ten weights each. A bias is one summand, whatever it is.
inline constexpr std::array<double, LetterNetwork::Slots.size()> DigitRepeats = {24,  0, 6, 0,
                                                                                 0.1, 0, 1, 0};

/// Counts the digits of every weight matrix, in the order of LetterNetwork::Slots; biases are left
/// out.
/// Range    `parameters` are multiples of the quantiser's step, as training leaves them.
std::vector<WeightDigits> count_digits(const LetterParameters& parameters,
                                       const QuantizerSpec& quantizer);

/// The digits of all weights, each as often as DigitRepeats says.
double adder_cost(const LetterParameters& parameters, const QuantizerSpec& quantizer);

/// The price of a weight of raw magnitude 0, 1, ..., max_raw + 1, between which training
/// interpolates: its signed digits, which is what rounding up or down at random would cost on
/// average, and MagnitudeShare of its length in bits, which also draws those weights to 0 whose
/// neighbours have as many digits.
std::vector<double> digit_prices(int64_t max_raw);

/// What an epoch has come to on the validation images.
struct EpochScore {
  double auc = 0;
  double loss = 0;
  double cost = 0;  ///< adder_cost(), or 0 where adders do not matter
};

/// The index of the epoch to keep: the cheapest of those whose AUC is the best but for `tolerance`;
/// among equals the one with the best AUC, then with the smallest loss, then the first.
/// Range    at least one epoch; `tolerance` is not negative.
size_t choose_epoch(std::span<const EpochScore> epochs, double tolerance);

}  // namespace millrace::train
