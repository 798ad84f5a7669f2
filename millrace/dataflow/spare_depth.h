// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "millrace/dataflow/fuse_adders.h"
#include "millrace/dataflow/map_steps.h"

namespace millrace::dataflow {

/// How many adders more than the fewest may stand one behind another, in each linear operation of
/// a map, without costing a cycle. A deeper adder graph is a smaller one, and where the cycle has
/// room for one more adder it is smaller for nothing.
///
/// The cycles are those of a chain of the fewest adders, all as wide as the widest sum, with the
/// map's other operations around it: an estimate that errs towards fewer adders.
///
/// Shapes   `x` is what the map's first step reads, `windows` how; one number for each of `steps`,
/// 0
///          where a step is not linear.
std::vector<int> spare_depths(const graph::Graph& graph, std::span<const MapStep> steps,
                              const BeatWindows& windows, FixedType x,
                              const PipelineTarget& target);

}  // namespace millrace::dataflow
