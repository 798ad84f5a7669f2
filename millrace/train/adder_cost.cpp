// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/adder_cost.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "millrace/adders/signed_digits.h"
#include "millrace/support/check.h"

namespace millrace::train {
namespace {

constexpr double MagnitudeShare = 0.5;

int64_t raw_value(double value, const QuantizerSpec& quantizer) {
  return std::llround(std::ldexp(value, quantizer.weights().type.frac_bits));
}

}  // namespace

std::vector<WeightDigits> count_digits(const LetterParameters& parameters,
                                       const QuantizerSpec& quantizer) {
  std::vector<WeightDigits> layers;
  for (size_t slot = 0; slot < parameters.size(); ++slot) {
    if (DigitRepeats[slot] == 0)
      continue;
    WeightDigits layer;
    layer.name = LetterNetwork::Slots[slot].name;
    for (const double value : parameters[slot].data) {
      const int64_t raw = raw_value(value, quantizer);
      layer.count += 1;
      layer.zeros += raw == 0;
      layer.signed_digits += adders::num_signed_digits(raw);
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

double adder_cost(const LetterParameters& parameters, const QuantizerSpec& quantizer) {
  double cost = 0;
  for (size_t slot = 0; slot < parameters.size(); ++slot)
    for (const double value : parameters[slot].data)
      cost += DigitRepeats[slot] * adders::num_signed_digits(raw_value(value, quantizer));
  return cost;
}

std::vector<double> digit_prices(int64_t max_raw) {
  std::vector<double> prices;
  for (int64_t raw = 0; raw <= max_raw + 1; ++raw)
    prices.push_back(adders::num_signed_digits(raw) +
                     MagnitudeShare * std::log2(1 + static_cast<double>(raw)));
  return prices;
}

size_t choose_epoch(std::span<const EpochScore> epochs, double tolerance) {
  check(!epochs.empty(), "there is an epoch to keep");
  const double best_auc = std::ranges::max(epochs, {}, &EpochScore::auc).auc;
  const auto key = [](const EpochScore& epoch) {
    return std::tuple(epoch.cost, -epoch.auc, epoch.loss);
  };
  std::optional<size_t> best;
  for (size_t i = 0; i < epochs.size(); ++i)
    if (epochs[i].auc >= best_auc - tolerance && (!best || key(epochs[i]) < key(epochs[*best])))
      best = i;
  return *best;
}

}  // namespace millrace::train
