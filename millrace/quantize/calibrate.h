// SPDX-License-Identifier: Apache-2.0
// Types from the ranges of numbers that samples cause.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::quantize {

/// The elements of one tensor for each input of a graph.
using Sample = std::vector<std::vector<double>>;

struct CalibrationOptions {
  int width = 16;  ///< of every type, in bits; not used with an error budget
  std::optional<double> error_budget = {};  ///< the largest error, as a part of the largest output
};

struct Calibration {
  graph::Graph graph;  ///< with types
  int width = 0;       ///< of every type, in bits
  double error = 0;  ///< the largest of an output over all samples, as a part of the largest output
};

inline constexpr int MaxCalibratedWidth = 24;  ///< in bits

/// Gives every value that needs a type (assign_types.h) `width` bits, of which as many are integer
/// bits as its numbers need over all samples, with a sign bit only where one is negative; constants
/// by their own numbers. Rounds half to even and saturates. What a function reads has at most 16
/// bits, since it becomes a table. With an error budget the width is the smallest that keeps it.
///
/// Errors   quantize.no_samples, quantize.not_finite, quantize.budget_too_small.
Result<Calibration> calibrate(const graph::Graph& graph, std::span<const Sample> samples,
                              const CalibrationOptions& options);

/// The type of `width` bits with the most fraction bits that holds all of lo to hi, rounded half to
/// even. Range: lo <= hi, finite; 1 <= width <= 63.
FixedType type_for_range(double lo, double hi, int width);

}  // namespace millrace::quantize
