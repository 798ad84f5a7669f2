// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/fixed/fixed_type.h"

namespace millrace::adders {

/// Every value lies in [lo, hi]; lo = hi is a constant.
struct Range {
  Int128 lo = 0, hi = 0;

  friend bool operator==(const Range&, const Range&) = default;
};

/// An integer matrix, row-major; rows are outputs, columns are inputs.
struct Matrix {
  int rows = 0, columns = 0;
  std::vector<int64_t> entries;

  int64_t at(int row, int column) const {
    return entries[static_cast<size_t>(row) * static_cast<size_t>(columns) +
                   static_cast<size_t>(column)];
  }

  friend bool operator==(const Matrix&, const Matrix&) = default;
};

}  // namespace millrace::adders
