// SPDX-License-Identifier: Apache-2.0
// Interval arithmetic on raw integers, from which exact result types follow.
#pragma once

#include <algorithm>
#include <optional>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// All raw integers from lo to hi.
struct Range {
  /// Far beyond 64 bits, and far enough below 128 that one more product does not overflow.
  static constexpr Int128 Bound = Int128{1} << 100;

  Int128 lo = 0;
  Int128 hi = 0;

  bool is_bounded() const { return lo >= -Bound && hi <= Bound; }
  void include(const Range& other) {
    lo = std::min(lo, other.lo);
    hi = std::max(hi, other.hi);
  }
};

/// What raw integers of the type, and what an operand can be: a constant's own values.
Range range_of(const FixedType& type);
Range range_of(const Operand& operand);

/// All products of two factors of at most 64 bits.
Range product(const Range& a, const Range& b);

/// The range times 2^shift, shift >= 0, if it stays bounded.
std::optional<Range> shifted_left(const Range& range, int shift);

/// The narrowest element type of a tensor with these raw integers, if int64_t holds them and
/// frac_bits is not beyond FixedType::MaxFracBits.
std::optional<FixedType> narrowest_tensor_element(const Range& range, int frac_bits);

}  // namespace millrace::graph
