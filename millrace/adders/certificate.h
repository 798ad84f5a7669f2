// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "millrace/adders/adder_graph.h"

namespace millrace::adders {

/// What was proven of a graph.
struct Certificate {
  bool is_exact = false;     ///< linear, and right on every basis vector: right on every vector
  bool fits_ranges = false;  ///< no value can leave the width that value_ranges() gives it
  std::string failure;       ///< the first thing that is wrong, empty when nothing is

  bool holds() const { return is_exact && fits_ranges; }
};

/// Proves that `graph` computes matrix * inputs for all inputs in their ranges.
Certificate certify(const AdderGraph& graph, const Matrix& matrix, std::span<const Range> inputs);

}  // namespace millrace::adders
