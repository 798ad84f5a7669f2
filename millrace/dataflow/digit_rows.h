// SPDX-License-Identifier: Apache-2.0
// Multiplication by a weight that changes: which digits, at which positions, make up every weight
// that ever stands there.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace millrace::dataflow {

/// One digit of {-2, ..., 2} for each weight: a row of a multiplication.
struct DigitRow {
  int shift = 0;
  /// The digit of weight i is bits[1][i] + bits[0][i] - 2 * bits[2][i].
  std::array<std::vector<bool>, 3> bits;

  int digit(size_t i) const { return bits[1][i] + bits[0][i] - 2 * bits[2][i]; }
  /// Of the three sequences of bits: how many differ from each other and are not constant.
  int num_lines() const;

  friend bool operator==(const DigitRow&, const DigitRow&) = default;
};

/// Rows whose digits, each shifted to its row's position, add up to each of the weights. They are
/// the fewest that do so, up to MaxSearchedBits bits of weight; wider weights, and those for which
/// no fewer rows are enough, have Booth's digits of radix 4: one row for each two bits, whose bits
/// are the weights' own. Rows that no weight needs are left out. The lowest stands first.
///
/// Source      Booth, A signed binary multiplication technique (1951), and MacSorley, High-speed
///             arithmetic in binary computers (1961).
std::vector<DigitRow> digit_rows(std::span<const int64_t> weights);

/// Of two's complement, beyond which the fewest rows are not searched for.
constexpr int MaxSearchedBits = 10;

}  // namespace millrace::dataflow
