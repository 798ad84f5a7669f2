// SPDX-License-Identifier: Apache-2.0
// Softmax by exact operations:
//
//     m = reduce max of x            d = x - m, never positive, in as many bits as x has
//     e = table exp(d)               s = reduce sum of e, rounded
//     r = table 1 / s                y = requantize(e * r)
//
// The graph that results is exact: what follows is about how far its y is from the real softmax of
// the same x. Write u for the step 2^-F of y's type, F >= 0, and C for the channels. With
// exp_frac_bits = F + 2 + ceil(log2 C) each e is off by at most 2^-(exp_frac_bits + 1), their sum
// by C times that; s and its exact counterpart are at least 1, because the largest x gives
// e = exp(0) = 1 without an error. Rounding s adds 2^-(sum_frac_bits + 1), rounding r
// 2^-(reciprocal_frac_bits + 1). An error of e moves the quotient e / s by at most as much, and so
// does one of s, because e <= s and s >= 1. So before its last rounding y is off by at most
//
//     (C + 1) * 2^-(exp_frac_bits + 1) + 2^-(sum_frac_bits + 1) + 2^-(reciprocal_frac_bits + 1)
//
// which is at most u / 2 as long as sum_frac_bits is F + 2: while F + 2 and the bits of C are
// together at most 16, the widest that a table reads. The last rounding adds u / 2 to nearest, u
// otherwise. Overflow of y's type comes on top: ufixed<8,0> has no 1.
#pragma once

#include "millrace/fixed/fixed_type.h"

namespace millrace::passes {

/// Fraction bits on the way, and what they cost.
struct SoftmaxPrecision {
  int exp_frac_bits = 0;
  int sum_frac_bits = 0;
  int sum_int_bits = 0;
  int reciprocal_frac_bits = 0;
  double error_bound = 0;  ///< of y before its last rounding
};

inline constexpr int64_t MaxSoftmaxChannels = 4096;
inline constexpr int MaxSoftmaxFracBits = 20;

/// Range    1 to MaxSoftmaxChannels channels; at most MaxSoftmaxFracBits fraction bits.
SoftmaxPrecision softmax_precision(int64_t channels, int result_frac_bits);

}  // namespace millrace::passes
