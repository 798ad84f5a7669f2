// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "millrace/dataflow/accumulate.h"

namespace millrace::dataflow {

/// What a matrix product takes on the device, before anything is emitted. No block memory: there is
/// none.
struct AccumulateCost {
  int64_t lut = 0;
  int64_t flip_flops = 0;
  int64_t dsp = 0;
};

/// Estimates the area of an accumulate stage, all included: rows or blocks, sums, the weights'
/// memory, the choice of the chunk, what is kept of a beat, and the counters.
/// docs/rationale/shared-multipliers compares it with Yosys' counts.
AccumulateCost accumulate_cost(const AccumulateStage& stage);

}  // namespace millrace::dataflow
