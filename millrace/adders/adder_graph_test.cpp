// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/adder_graph.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

namespace millrace::adders {
namespace {

std::vector<Int128> evaluate(const AdderGraph& graph, const std::vector<int64_t>& inputs) {
  std::vector<Int128> values(inputs.begin(), inputs.end());
  for (const Adder& adder : graph.adders) {
    const Int128 a = values[static_cast<size_t>(adder.a)] * (Int128{1} << adder.shift_a);
    const Int128 b = values[static_cast<size_t>(adder.b)] * (Int128{1} << adder.shift_b);
    values.push_back(adder.subtract ? a - b : a + b);
  }
  std::vector<Int128> rows;
  rows.reserve(graph.rows.size());
  for (const RowSum& row : graph.rows) {
    Int128 sum = row.value == RowSum::Zero ? Int128{0} : values[static_cast<size_t>(row.value)];
    sum *= Int128{1} << row.shift;
    rows.push_back(row.negate ? -sum : sum);
  }
  return rows;
}

TEST(CanonicalSignedDigits, StandForTheValueWithoutAdjacentDigits) {
  for (int64_t value = -5000; value <= 5000; ++value) {
    int64_t sum = 0;
    int last = -2;
    for (const SignedDigit& digit : canonical_signed_digits(value)) {
      EXPECT_GT(digit.shift, last + 1);
      last = digit.shift;
      sum += (digit.negative ? -1 : 1) * (int64_t{1} << digit.shift);
    }
    EXPECT_EQ(sum, value);
  }
}

TEST(CanonicalSignedDigits, ReachTheEndsOfTheRange) {
  EXPECT_EQ(canonical_signed_digits(INT64_MIN), (std::vector<SignedDigit>{{63, true}}));
  EXPECT_EQ(canonical_signed_digits(INT64_MAX), (std::vector<SignedDigit>{{0, true}, {63, false}}));
}

TEST(MultiplyMatrix, IsExactOnRandomMatricesAndStaysInItsRanges) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Matrix matrix{.rows = 1 + static_cast<int>(random() % 6),
                  .columns = 1 + static_cast<int>(random() % 9),
                  .entries = {}};
    for (int i = 0; i < matrix.rows * matrix.columns; ++i)
      matrix.entries.push_back(static_cast<int64_t>(random() % 512) - 256);
    std::vector<Range> ranges(static_cast<size_t>(matrix.columns), Range{-128, 127});
    const AdderGraph graph = multiply_matrix(matrix, ranges);
    const std::vector<Range> values = value_ranges(graph, ranges);
    std::vector<int64_t> inputs;
    for (int i = 0; i < matrix.columns; ++i)
      inputs.push_back(static_cast<int64_t>(random() % 256) - 128);
    const std::vector<Int128> rows = evaluate(graph, inputs);
    for (int row = 0; row < matrix.rows; ++row) {
      Int128 expected = 0;
      for (int column = 0; column < matrix.columns; ++column)
        expected += matrix.at(row, column) * inputs[static_cast<size_t>(column)];
      EXPECT_TRUE(rows[static_cast<size_t>(row)] == expected);
      const RowSum& sum = graph.rows[static_cast<size_t>(row)];
      if (sum.value == RowSum::Zero)
        continue;
      const Range& range = values[static_cast<size_t>(sum.value)];
      const Int128 value = (sum.negate ? -expected : expected) / (Int128{1} << sum.shift);
      EXPECT_TRUE(range.lo <= value && value <= range.hi);
    }
  }
}

TEST(MultiplyMatrix, ZeroRowsAndPowersOfTwoTakeNoAdder) {
  const Matrix matrix{.rows = 3, .columns = 2, .entries = {0, 0, 8, 0, 0, -4}};
  const AdderGraph graph = multiply_matrix(matrix, std::vector<Range>(2, Range{0, 255}));
  EXPECT_TRUE(graph.adders.empty());
  EXPECT_EQ(graph.rows[0].value, RowSum::Zero);
  EXPECT_EQ(graph.rows[1].shift, 3);
  EXPECT_TRUE(graph.rows[2].negate);
}

}  // namespace
}  // namespace millrace::adders
