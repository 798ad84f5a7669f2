// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "millrace/dataflow/circuit.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/graph.h"

namespace millrace::dataflow {

/// A stage that multiplies and works in a smaller share of the cycles than this is explained.
inline constexpr double WellUsed = 0.8;

/// Says what keeps a stage that multiplies from working in more of the cycles, in terms of its
/// beats; none for other stages and for those that are well used.
///
/// Shapes   `schedule` is that of `circuit`, which was planned from `graph`.
std::optional<std::string> limit_of_utilisation(const graph::Graph& graph, const Circuit& circuit,
                                                const Schedule& schedule, size_t stage);

}  // namespace millrace::dataflow
