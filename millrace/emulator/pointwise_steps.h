// SPDX-License-Identifier: Apache-2.0
// The steps of operations element by element and along the channels.
#pragma once

#include <utility>

#include "millrace/emulator/plan.h"
#include "millrace/graph/ops/broadcast.h"

namespace millrace::emulator {

/// An operand of a step on two: where it is, the raw integers that it can be, from the lowest to
/// the highest, and by how much they are shifted left to have the result's fraction bits.
struct ShiftedOperand {
  Buffer buffer;
  std::pair<Int128, Int128> range;
  int shift = 0;
};

/// y = function(a, b), in the narrowest integers that hold both operands as shifted.
Step binary_step(graph::BinaryFunction function, const ShiftedOperand& a, const ShiftedOperand& b,
                 const graph::Broadcast& repeat, const Buffer& y);

/// alpha.shift is that of the products.
Step prelu_step(const ShiftedOperand& x, const ShiftedOperand& alpha,
                const graph::Broadcast& repeat, const Buffer& y);

Step exact_step(graph::ExactFunction function, const Buffer& x, const Buffer& y);

Step top_k_step(size_t channels, size_t k, const Buffer& x, const Buffer& y);

/// A `requantize` to types of single channels or elements.
Step requantize_step(const graph::Requantize& requantize, const FixedType& from, const Buffer& x,
                     const Buffer& y);

}  // namespace millrace::emulator
