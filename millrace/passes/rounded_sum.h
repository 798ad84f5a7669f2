// SPDX-License-Identifier: Apache-2.0
// Short multipliers in place of real ones, where what comes out is rounded.
#pragma once

#include <optional>
#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/passes/rational.h"

namespace millrace::passes {

/// A number rounded to an integer.
Integer rounded(const Rational& number, Rounding rounding);

/// An integer in a range, and what it is multiplied by.
struct Summand {
  Int128 lo = 0, hi = 0;
  Rational slope;
};

/// clamp(round(sum of slope * x + offset), least, most): least < most.
struct RoundedSum {
  std::vector<Summand> summands;  ///< one or two
  Rational offset;
  Rounding rounding = Rounding::HalfEven;
  Int128 least = 0, most = 0;
};

/// round((sum of multiplier * x + offset) / 2^frac_bits), rounded as shifted_rounding() says.
struct ShiftedSum {
  std::vector<Int128> multipliers;
  Int128 offset = 0;
  int frac_bits = 0;
};

/// Downwards, which costs nothing; towards zero in place of itself, whose stair at 0 is twice as
/// wide as the others.
constexpr Rounding shifted_rounding(Rounding rounding) {
  return rounding == Rounding::TowardsZero ? rounding : Rounding::Floor;
}

/// The integers with the fewest fraction bits which, clamped in the same way, give the same for
/// every x in the ranges.
///
/// The rounded sum is a staircase: it is enough to look at both sides of each stair. With a second
/// summand there is a staircase for each of its numbers. For given multipliers the offsets that
/// keep all stairs are an interval; of these the one with the fewest bits is taken.
///
/// No value where there is none below MaxMultiplierBits, which exact ties can cause, or where there
/// are more than MaxStairs stairs.
std::optional<ShiftedSum> shifted_sum(const RoundedSum& sum);

inline constexpr int MaxMultiplierBits = 48;
inline constexpr int64_t MaxStairs = int64_t{1} << 20;

}  // namespace millrace::passes
