// SPDX-License-Identifier: Apache-2.0
// Multiplication of a vector by a constant matrix with shifts and adds.
#pragma once

#include <cstdint>
#include <span>
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
};

/// (a << shift_a) + (b << shift_b), or minus. Values are numbered: first the inputs, then the
/// adders in order.
struct Adder {
  int a = 0, b = 0;
  int shift_a = 0, shift_b = 0;  ///< at least one of them is 0
  bool subtract = false;
};

/// One row of the product: value << shift, negated where asked.
struct RowSum {
  static constexpr int Zero = -1;
  int value = Zero;
  int shift = 0;
  bool negate = false;
};

/// The network of adders that computes matrix * inputs.
struct AdderGraph {
  int num_inputs = 0;
  std::vector<Adder> adders;
  std::vector<RowSum> rows;
};

/// One non-zero digit of a canonical signed-digit number.
struct SignedDigit {
  int shift = 0;
  bool negative = false;

  friend bool operator==(const SignedDigit&, const SignedDigit&) = default;
};

/// The canonical signed-digit form: no two adjacent non-zero digits, lowest first.
/// Source   Reitwiesner, "Binary arithmetic", 1960.
std::vector<SignedDigit> canonical_signed_digits(int64_t value);

/// Builds one tree of least depth for each row from the canonical signed digits of its entries.
///
/// Shapes   `inputs` has matrix.columns ranges. Constant inputs are best given with entries of 1.
AdderGraph multiply_matrix(const Matrix& matrix, std::span<const Range> inputs);

/// The ranges of all values of a graph, inputs first.
std::vector<Range> value_ranges(const AdderGraph& graph, std::span<const Range> inputs);

}  // namespace millrace::adders
