// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/graph/graph.h"
#include "millrace/report/records.h"

namespace millrace::report {

/// Lists a graph's operations but its constants, in order, with what each costs a frame.
NetworkRecord describe(const graph::Graph& graph);

/// Lists the quantisers of a graph as it was imported: the types of its inputs, and every
/// `requantize`, those of weights included.
std::vector<QuantizerRecord> describe_quantizers(const graph::Graph& imported);

}  // namespace millrace::report
