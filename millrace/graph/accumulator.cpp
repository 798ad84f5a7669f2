// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/accumulator.h"

namespace millrace::graph {

std::optional<Quantizer> accumulator_of(const Op& op) {
  if (const auto* const dense = op.as<Dense>())
    return dense->accumulate;
  if (const auto* const conv = op.as<Conv2D>())
    return conv->accumulate;
  if (const auto* const pool = op.as<AvgPool>())
    return pool->accumulate ? pool->to : std::nullopt;
  return std::nullopt;
}

}  // namespace millrace::graph
