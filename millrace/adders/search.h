// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/adders/row_tree.h"
#include "millrace/adders/sum_network.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"

namespace millrace::adders {

/// Writes the matrix as a network of sums: each row from the row that the tree names, each input
/// in its group.
SumNetwork write_sums(const Matrix& matrix, const RowTree& tree, const std::vector<int>& groups,
                      int depth_limit);

/// Makes the most frequent pairs of terms values of their own until no pair stands twice.
///
/// Errors   the search was stopped through `progress`.
/// Source   R. Hartley, "Subexpression sharing in filters using canonic signed digit multipliers",
///          1996.
Status share_pairs(SumNetwork& network, const ProgressFunction& progress, Random& random);

/// Improves a network by large-neighbourhood search: some shared sums are written out again, pairs
/// are shared anew in another random order, and the change is kept unless it costs adders. Ends
/// when `work` pair counts have been updated.
///
/// Errors   the search was stopped through `progress`.
/// Source   P. Shaw, "Using constraint programming and local search methods to solve vehicle
///          routing problems", 1998, for the scheme; the rule for small losses is simulated
///          annealing's.
Status improve(SumNetwork& network, int64_t work, const ProgressFunction& progress, Random& random);

}  // namespace millrace::adders
