// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/digit_rows.h"

#include <gtest/gtest.h>
#include <numeric>
#include <random>

namespace millrace::dataflow {
namespace {

void expect_sums(const std::vector<int64_t>& weights, const std::vector<DigitRow>& rows) {
  for (size_t i = 0; i < weights.size(); ++i) {
    int64_t sum = 0;
    for (const DigitRow& row : rows)
      sum += int64_t{row.digit(i)} * (int64_t{1} << row.shift);
    ASSERT_EQ(sum, weights[i]);
  }
}

std::vector<int64_t> all_from(int64_t lo, int64_t hi) {
  std::vector<int64_t> weights(static_cast<size_t>(hi - lo + 1));
  std::iota(weights.begin(), weights.end(), lo);
  return weights;
}

TEST(DigitRows, AddUpToTheWeights) {
  std::mt19937_64 random(1);
  for (int width = 1; width <= 14; ++width)
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<int64_t> weights;
      for (int i = 0; i < 1 << (trial % 5); ++i)
        weights.push_back(static_cast<int64_t>(random() >> (64 - width)) -
                          (trial % 2 == 0 ? 0 : int64_t{1} << (width - 1)));
      expect_sums(weights, digit_rows(weights));
    }
}

TEST(DigitRows, AreHalfAsManyAsTheWeightsHaveBits) {
  for (int width = 2; width <= 12; width += 2) {
    const int64_t half = int64_t{1} << (width - 1);
    EXPECT_EQ(digit_rows(all_from(-half, half - 1)).size(), width / 2);
  }
}

TEST(DigitRows, AreFewerWhereTheWeightsAllowIt) {
  EXPECT_TRUE(digit_rows(std::vector<int64_t>{0, 0}).empty());
  EXPECT_EQ(digit_rows(std::vector<int64_t>{0, 64, -64, 128}).size(), 1);
  EXPECT_EQ(digit_rows(std::vector<int64_t>{0, 65, -63, 128}).size(), 2);
  EXPECT_EQ(digit_rows(all_from(-10, 10)).size(), 2);  // of 5 bits
  EXPECT_EQ(digit_rows(all_from(-42, 42)).size(), 3);  // of 7 bits
}

TEST(DigitRows, TakeALineForEachBitOfAWeight) {
  const std::vector<DigitRow> rows = digit_rows(all_from(-8, 7));
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0].num_lines(), 2);
  EXPECT_EQ(rows[1].num_lines(), 3);
  EXPECT_EQ(rows[0].bits[2], rows[1].bits[0]);
}

TEST(DigitRows, SelectWithOneLineAndASign) {
  EXPECT_EQ(digit_rows(std::vector<int64_t>{0, 4, 4, 0}).at(0).num_lines(), 1);
  EXPECT_EQ(digit_rows(std::vector<int64_t>{0, -4, 0}).at(0).num_lines(), 1);
  EXPECT_EQ(digit_rows(std::vector<int64_t>{0, -4, 4}).at(0).num_lines(), 2);
}

}  // namespace
}  // namespace millrace::dataflow
