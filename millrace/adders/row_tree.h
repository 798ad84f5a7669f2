// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "millrace/adders/matrix.h"

namespace millrace::adders {

/// How a row of a matrix is first written: from nothing, or as +-(another row << shift) + the rest.
struct RowStart {
  std::optional<int> from = {};  ///< the other row, which stands earlier in the order
  int shift = 0;
  bool negative = false;
};

/// A tree in which each row hangs on the row that it differs least from.
struct RowTree {
  std::vector<int> order;        ///< all rows, each after the row that it is written from
  std::vector<RowStart> starts;  ///< by row
};

/// Finds the tree whose rests have the fewest signed digits in all, keeping each row's tree of
/// adders within the depth limit, if there is one.
///
/// Source      the minimum spanning tree over columns in C. Sun et al., "da4ml: Distributed
///             Arithmetic for Real-time Neural Networks on FPGAs", 2025; here with shifts, signs
///             and Kraft's inequality for the depth.
/// Complexity  rows^2 * columns.
RowTree minimum_row_tree(const Matrix& matrix, std::optional<int> depth_limit);

/// The tree in which every row starts from nothing.
RowTree trivial_row_tree(const Matrix& matrix);

}  // namespace millrace::adders
