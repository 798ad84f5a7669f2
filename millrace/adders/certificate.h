// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "millrace/adders/adder_graph.h"

namespace millrace::adders {

/// What was proven of a graph. When it does not hold, `failure` says why.
struct Certificate {
  bool is_exact = false;     ///< the rows are matrix * inputs for all inputs in their ranges
  bool fits_ranges = false;  ///< no value can leave the range that value_ranges() gives it
  std::string failure;       ///< the first thing that is wrong, empty when nothing is

  bool holds() const { return is_exact && fits_ranges; }
};

/// Proves that `graph` computes matrix * inputs for all inputs in their ranges, and that 64 bits
/// hold every value, every row and their ranges.
///
/// A graph is linear and has no constant: it is right everywhere once each input's coefficient is
/// right in each row. Inputs that are constant are proven together, by their values. The
/// coefficients also give each value's exact range.
///
/// Errors   none: a graph of any content, even one that reads values that are not there, gives a
///          certificate that does not hold. The caller has checked matrix and ranges.
/// Complexity   adders * columns / 16 visits, plus one operation for each non-zero coefficient of
///              each value.
Certificate certify(const AdderGraph& graph, const Matrix& matrix, std::span<const Range> inputs);

}  // namespace millrace::adders
