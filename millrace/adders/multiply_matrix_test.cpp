// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/multiply_matrix.h"

#include <gtest/gtest.h>
#include <random>

namespace millrace::adders {
namespace {

TEST(MultiplyMatrix, IsExactOnRandomMatricesAndStaysInItsRanges) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Matrix matrix{.rows = 1 + static_cast<int>(random() % 6),
                  .columns = 1 + static_cast<int>(random() % 9),
                  .entries = {}};
    for (int i = 0; i < matrix.rows * matrix.columns; ++i)
      matrix.entries.push_back(static_cast<int64_t>(random() % 512) - 256);
    std::vector<Range> ranges(static_cast<size_t>(matrix.columns), Range{-128, 127});
    const AdderGraph graph = multiply_matrix(matrix, ranges).value();
    const std::vector<Range> values = value_ranges(graph, ranges);
    std::vector<Int128> inputs;
    for (int i = 0; i < matrix.columns; ++i)
      inputs.push_back(Int128{random() % 256} - 128);
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
  const AdderGraph graph = multiply_matrix(matrix, std::vector<Range>(2, Range{0, 255})).value();
  EXPECT_TRUE(graph.adders.empty());
  EXPECT_EQ(graph.rows[0].value, RowSum::Zero);
  EXPECT_EQ(graph.rows[1].shift, 3);
  EXPECT_TRUE(graph.rows[2].negate);
}

}  // namespace
}  // namespace millrace::adders
