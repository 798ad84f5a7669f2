// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/adder_cost.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace millrace::train {
namespace {

constexpr QuantizerSpec Spec{8, 4};  // step 1/8

/// A network of zeros.
LetterParameters zeros() {
  LetterParameters parameters;
  for (size_t slot = 0; slot < parameters.size(); ++slot) {
    const Shape shape = LetterNetwork::shape(LetterNetwork::Slots[slot]);
    parameters[slot] = {shape, std::vector<double>(num_elements(shape), 0.0)};
  }
  return parameters;
}

TEST(CountDigits, EveryWeightMatrixIsListedAndNoBias) {
  EXPECT_EQ(count_digits(zeros(), Spec), (std::vector<WeightDigits>{{"conv1.w", 36, 36, 0},
                                                                    {"conv2.w", 144, 144, 0},
                                                                    {"dense1.w", 800, 800, 0},
                                                                    {"dense2.w", 8, 8, 0}}));
}

TEST(CountDigits, AWeightHasAsManyDigitsAsItsCanonicalForm) {
  LetterParameters parameters = zeros();
  // Raw 1, -2, 3 = 4 - 1, -7 = 1 - 8, 11 = 8 + 4 - 1, -128: 1 + 1 + 2 + 2 + 3 + 1 digits.
  const std::vector<double> weights = {0.125, -0.25, 0.375, -0.875, 1.375, -16};
  std::ranges::copy(weights, parameters[0].data.begin());
  parameters[1].data[0] = 0.375;  // a bias costs nothing
  EXPECT_EQ(count_digits(parameters, Spec)[0], (WeightDigits{"conv1.w", 36, 30, 10}));
}

TEST(AdderCost, CountsADigitAsOftenAsItsHardwareStands) {
  LetterParameters parameters = zeros();
  EXPECT_EQ(adder_cost(parameters, Spec), 0);
  for (const size_t slot : {0, 2, 4, 6}) {
    parameters = zeros();
    parameters[slot].data[0] = 0.375;
    EXPECT_EQ(adder_cost(parameters, Spec), 2 * DigitRepeats[slot]) << slot;
  }
}

TEST(DigitPrices, HoldEveryMagnitudeAndItsUpperNeighbour) {
  const std::vector<double> prices = digit_prices(128);
  ASSERT_EQ(prices.size(), 130u);
  EXPECT_EQ(prices[0], 0);
  EXPECT_EQ(prices[1], 1.5);  // a digit and half a bit
  EXPECT_EQ(prices[3], 3);    // two digits and two halves
  EXPECT_EQ(prices[7], 3.5);
}

TEST(DigitPrices, DrawAWeightToFewerDigitsAndOtherwiseTowardsZero) {
  const std::vector<double> prices = digit_prices(128);
  EXPECT_LT(prices[0], prices[1]);
  EXPECT_LT(prices[1], prices[2]);  // as many digits: the smaller one
  EXPECT_LT(prices[8], prices[7]);  // fewer digits, though larger
  EXPECT_LT(prices[4], prices[3]);
}

TEST(ChooseEpoch, WithoutToleranceTheBestAucCountsThenTheLossThenTheFirst) {
  const std::vector<EpochScore> epochs = {
      {0.8, 0.1, 0}, {0.9, 0.4, 0}, {0.9, 0.3, 0}, {0.9, 0.3, 0}, {0.85, 0.1, 0}};
  EXPECT_EQ(choose_epoch(epochs, 0), 2u);
}

TEST(ChooseEpoch, WithinTheToleranceTheCheapestCounts) {
  const std::vector<EpochScore> epochs = {
      {0.8, 0.1, 5}, {0.9, 0.4, 30}, {0.89, 0.3, 20}, {0.88, 0.3, 20}, {0.87, 0.1, 10}};
  EXPECT_EQ(choose_epoch(epochs, 0.025), 2u);
  EXPECT_EQ(choose_epoch(epochs, 0.035), 4u);
  EXPECT_EQ(choose_epoch(epochs, 0), 1u);
}

}  // namespace
}  // namespace millrace::train
