// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/row_tree.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "millrace/adders/signed_digits.h"

namespace millrace::adders {
namespace {

constexpr int MaxShift = 1;

/// The signed digits of `row` - +-(`other` << shift).
int num_rest_digits(const Matrix& matrix, int row, int other, const RowStart& start) {
  const int64_t* a =
      &matrix.entries[static_cast<size_t>(row) * static_cast<size_t>(matrix.columns)];
  const int64_t* b =
      &matrix.entries[static_cast<size_t>(other) * static_cast<size_t>(matrix.columns)];
  const int64_t factor = (start.negative ? -1 : 1) * (int64_t{1} << start.shift);
  int digits = 0;
  for (int column = 0; column < matrix.columns; ++column)
    digits += num_signed_digits(a[column] - factor * b[column]);
  return digits;
}

int num_row_digits(const Matrix& matrix, int row) {
  int digits = 0;
  for (int column = 0; column < matrix.columns; ++column)
    digits += num_signed_digits(matrix.at(row, column));
  return digits;
}

int depth_of(uint64_t kraft) {
  return static_cast<int>(std::bit_width(kraft - 1));
}

}  // namespace

RowTree trivial_row_tree(const Matrix& matrix) {
  RowTree tree{.order = std::vector<int>(static_cast<size_t>(matrix.rows)),
               .starts = std::vector<RowStart>(static_cast<size_t>(matrix.rows))};
  std::iota(tree.order.begin(), tree.order.end(), 0);
  return tree;
}

// Prim's algorithm; a row in the tree has a depth, which its children build on.
RowTree minimum_row_tree(const Matrix& matrix, std::optional<int> depth_limit) {
  const auto rows = static_cast<size_t>(matrix.rows);
  RowTree tree{.order = {}, .starts = std::vector<RowStart>(rows)};
  std::vector<int> terms(rows);  // of the best start found for each row
  std::vector<int> depths(rows);
  std::vector<bool> is_in(rows, false);
  for (size_t row = 0; row < rows; ++row) {
    terms[row] = num_row_digits(matrix, static_cast<int>(row));
    depths[row] = depth_of(static_cast<uint64_t>(terms[row]));
  }
  for (size_t step = 0; step < rows; ++step) {
    size_t next = rows;
    for (size_t row = 0; row < rows; ++row)
      if (!is_in[row] && (next == rows || terms[row] < terms[next]))
        next = row;
    is_in[next] = true;
    tree.order.push_back(static_cast<int>(next));
    for (size_t row = 0; row < rows; ++row) {
      if (is_in[row])
        continue;
      for (int choice = 0; choice < 2 * (MaxShift + 1); ++choice) {
        const RowStart start{
            .from = static_cast<int>(next), .shift = choice / 2, .negative = choice % 2 == 1};
        const int digits =
            num_rest_digits(matrix, static_cast<int>(row), static_cast<int>(next), start);
        if (digits + 1 >= terms[row])
          continue;
        const uint64_t kraft =
            depth_limit ? (uint64_t{1} << depths[next]) + static_cast<uint64_t>(digits) : 1;
        if (depth_limit && kraft > uint64_t{1} << *depth_limit)
          continue;
        terms[row] = digits + 1;
        depths[row] = depth_of(kraft);
        tree.starts[row] = start;
      }
    }
  }
  return tree;
}

}  // namespace millrace::adders
