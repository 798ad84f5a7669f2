// SPDX-License-Identifier: Apache-2.0
// What the tests of this folder share: random matrices and their products by the plainest code.
#pragma once

#include <span>
#include <vector>

#include "millrace/adders/matrix.h"
#include "millrace/adders/random.h"

namespace millrace::adders {

/// Entries are uniform in [lo, hi].
inline Matrix random_matrix(Random& random, int rows, int columns, int64_t lo, int64_t hi) {
  Matrix matrix{.rows = rows, .columns = columns, .entries = {}};
  for (int i = 0; i < rows * columns; ++i)
    matrix.entries.push_back(
        lo + static_cast<int64_t>(random.unit() * static_cast<double>(hi - lo + 1)));
  return matrix;
}

/// Leaves each entry with the probability num / den, else makes it 0.
inline void thin_out(Matrix& matrix, Random& random, uint32_t num, uint32_t den) {
  for (int64_t& entry : matrix.entries)
    if (!random.chance(num, den))
      entry = 0;
}

/// The matrix whose entries are all negated.
inline Matrix negated(Matrix matrix) {
  for (int64_t& entry : matrix.entries)
    entry = -entry;
  return matrix;
}

inline std::vector<Int128> product(const Matrix& matrix, std::span<const Int128> inputs) {
  std::vector<Int128> result(static_cast<size_t>(matrix.rows), 0);
  for (int row = 0; row < matrix.rows; ++row)
    for (int column = 0; column < matrix.columns; ++column)
      result[static_cast<size_t>(row)] +=
          Int128{matrix.at(row, column)} * inputs[static_cast<size_t>(column)];
  return result;
}

}  // namespace millrace::adders
