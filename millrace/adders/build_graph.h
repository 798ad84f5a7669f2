// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "millrace/adders/adder_graph.h"
#include "millrace/adders/sum_network.h"

namespace millrace::adders {

/// Turns each sum of a network into a tree of adders, the shortest carry chains first, within the
/// network's depth limit; the graph's rows are the network's outputs, which are the rows of
/// `matrix`. The network's depths are exact.
AdderGraph build_graph(const SumNetwork& network, const Matrix& matrix,
                       std::span<const Range> inputs);

/// The adders that a row needs at least on its longest way: a tree over its signed digits, where a
/// row without a positive digit is subtracted from 0.
int minimum_row_depth(const Matrix& matrix, int row);

}  // namespace millrace::adders
