// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/rounded_sum.h"

#include <algorithm>
#include <array>
#include <limits>

#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

// What a shifted sum must be at one place: at least `stair`, or below it.
struct Bound {
  std::array<Int128, 2> x;
  Int128 stair;
  bool is_below;
};

// Whether numbers that round to `stair` or more begin above stair - 1/2 (or another tie), or at it.
struct Edge {
  Rational at;
  bool is_open;  ///< `at` itself rounds to less
};

Edge edge(const Integer& stair, Rounding rounding) {
  static const Rational half(1, 2);
  const bool is_positive = stair > 0;
  switch (rounding) {
    case Rounding::Floor:
      return {stair, false};
    case Rounding::TowardsZero:
      return is_positive ? Edge{stair, false} : Edge{stair - 1, true};
    case Rounding::HalfUp:
      return {stair - half, false};
    case Rounding::HalfDown:
      return {stair - half, true};
    case Rounding::HalfTowardsZero:
      return {stair - half, is_positive};
    case Rounding::HalfAwayFromZero:
      return {stair - half, !is_positive};
    case Rounding::HalfEven:
      return {stair - half, bit_test(Integer(abs(stair)), 0)};
  }
  check(false, "unknown rounding mode");
  return {};
}

bool reaches(const Rational& number, const Integer& stair, Rounding rounding) {
  const Edge begin = edge(stair, rounding);
  return begin.is_open ? number > begin.at : number >= begin.at;
}

class Solver {
public:
  explicit Solver(const RoundedSum& sum) : sum_(sum) {}

  std::optional<ShiftedSum> solve() {
    check(sum_.summands.size() == 1 || sum_.summands.size() == 2, "a sum of one or two numbers");
    check(sum_.least < sum_.most, "a rounded sum with one value");
    if (!find_bounds())
      return std::nullopt;
    // Where each multiplier is less than 1, shifts so far that it has a bit come first.
    for (int frac_bits = 0;; ++frac_bits) {
      ShiftedSum result{{}, 0, frac_bits};
      std::vector<Integer> below;
      bool is_short = true;
      for (const Summand& summand : sum_.summands) {
        below.push_back(floor(summand.slope * (Integer(1) << frac_bits)));
        is_short = is_short && (below.back() == 0 ||
                                msb(Integer(abs(below.back()))) < unsigned{MaxMultiplierBits});
      }
      if (!is_short || frac_bits > FixedType::MaxFracBits)
        return std::nullopt;
      for (unsigned choice = 0; choice < 1U << below.size(); ++choice) {
        result.multipliers.clear();
        for (size_t i = 0; i < below.size(); ++i)
          result.multipliers.push_back(
              static_cast<Int128>(Integer(below[i] + ((choice >> i) & 1))));
        if (const auto offset = find_offset(result)) {
          result.offset = *offset;
          return result;
        }
      }
    }
  }

private:
  // False where there are too many.
  bool find_bounds() {
    if (sum_.summands.size() == 1)
      return add_staircase(sum_.offset, 0);
    const Summand& other = sum_.summands[1];
    if (other.hi - other.lo >= MaxStairs)
      return false;
    for (Int128 y = other.lo; y <= other.hi; ++y)
      if (!add_staircase(sum_.offset + other.slope * Integer(y), y))
        return false;
    return true;
  }

  // The bounds of clamp(round(slope * x + offset)) for the first summand. Where it falls with x,
  // -x is looked at.
  bool add_staircase(const Rational& offset, Int128 y) {
    const Summand& summand = sum_.summands[0];
    const bool falls = summand.slope < 0;
    const Rational slope = abs(summand.slope);
    const Integer lo(falls ? -summand.hi : summand.lo), hi(falls ? -summand.lo : summand.hi);
    const Integer least(sum_.least), most(sum_.most);
    const auto add = [&](const Integer& x, const Integer& stair, bool is_below) {
      const auto place = static_cast<Int128>(x);
      bounds_.push_back({{falls ? -place : place, y}, static_cast<Int128>(stair), is_below});
    };
    const auto clamped = [&](const Integer& x) {
      return std::clamp(rounded(slope * x + offset, sum_.rounding), least, most);
    };
    const Integer first = clamped(lo), last = clamped(hi);
    if (first > least)
      add(lo, first, false);
    if (last < most)
      add(hi, last + 1, true);
    if (last - first + static_cast<int64_t>(bounds_.size()) / 2 > MaxStairs)
      return false;
    for (Integer stair = first + 1; stair <= last; ++stair) {
      const Edge begin = edge(stair, sum_.rounding);
      const Rational place = (begin.at - offset) / slope;
      const Integer x = begin.is_open ? Integer(floor(place) + 1) : ceil(place);
      add(x, stair, false);
      add(x - 1, stair, true);
    }
    return true;
  }

  // The offset with the fewest bits that keeps all bounds.
  std::optional<Int128> find_offset(const ShiftedSum& shifted) const {
    constexpr Int128 Unbounded = Int128{1} << 120;
    Int128 lo = -Unbounded, hi = Unbounded;
    for (const Bound& bound : bounds_) {
      // What the sum must reach for this stair, before the shift.
      const bool is_open =
          shifted_rounding(sum_.rounding) == Rounding::TowardsZero && bound.stair <= 0;
      Int128 rest = (is_open ? bound.stair - 1 : bound.stair) * (Int128{1} << shifted.frac_bits) +
                    (is_open ? 1 : 0);
      for (size_t i = 0; i < shifted.multipliers.size(); ++i)
        rest -= shifted.multipliers[i] * bound.x[i];
      if (bound.is_below)
        hi = std::min(hi, rest - 1);
      else
        lo = std::max(lo, rest);
      if (lo > hi)
        return std::nullopt;
    }
    if (lo <= 0 && hi >= 0)
      return Int128{0};
    // The number in [lo, hi] that ends with the most zeros.
    for (int zeros = 119;; --zeros) {
      const Int128 unit = Int128{1} << zeros;
      const Int128 candidate = hi >= 0 ? hi / unit * unit : -((-hi + unit - 1) / unit) * unit;
      if (candidate >= lo)
        return candidate;
    }
  }

  const RoundedSum& sum_;
  std::vector<Bound> bounds_;
};

}  // namespace

Integer rounded(const Rational& number, Rounding rounding) {
  const Integer below = floor(number);
  return reaches(number, below + 1, rounding) ? Integer(below + 1) : below;
}

std::optional<ShiftedSum> shifted_sum(const RoundedSum& sum) {
  return Solver(sum).solve();
}

}  // namespace millrace::passes
