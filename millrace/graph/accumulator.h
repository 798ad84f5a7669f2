// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "millrace/graph/op.h"

namespace millrace::graph {

/// The accumulator's quantiser of an operation whose sums are not exact: the attribute `accumulate`
/// of dense, conv2d and avg_pool.
std::optional<Quantizer> accumulator_of(const Op& op);

}  // namespace millrace::graph
