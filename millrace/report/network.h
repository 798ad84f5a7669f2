// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/graph/graph.h"
#include "millrace/report/records.h"

namespace millrace::report {

/// Lists a graph's operations but its constants, in order, with what each costs a frame.
NetworkRecord describe(const graph::Graph& graph);

}  // namespace millrace::report
