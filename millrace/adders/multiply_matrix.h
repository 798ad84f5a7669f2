// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "millrace/adders/adder_graph.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"

namespace millrace::adders {

/// What the search for an adder graph may and shall do.
struct SearchOptions {
  std::optional<int> max_depth = {};    ///< adders between an input and a row
  std::optional<int> extra_depth = {};  ///< counted from minimum_depth(); excludes max_depth
  int effort = 1;     ///< 0 to MaxEffort; each step searches several times as long as the one below
  uint64_t seed = 1;  ///< of the search's random choices
  ProgressFunction progress = {};

  static constexpr int MaxEffort = 9;
};

/// Entries of a matrix are below 2^MaxEntryBits in magnitude.
inline constexpr int MaxEntryBits = 48;

/// The fewest adders that can stand on the longest way from an input to a row.
int minimum_depth(const Matrix& matrix, std::span<const Range> inputs);

/// Finds an adder graph for matrix * inputs that costs as few adders, and bits, as it can. The
/// graph is certified (certify()); the same arguments give the same graph on every machine.
///
/// Shapes   `inputs` has matrix.columns ranges.
/// Errors   an empty or ragged matrix, an entry or a row that is too wide, a reversed range, a
///          depth limit below the minimum, a search that was stopped.
Result<AdderGraph> multiply_matrix(const Matrix& matrix, std::span<const Range> inputs,
                                   const SearchOptions& options = {});

}  // namespace millrace::adders
