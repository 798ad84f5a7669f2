// SPDX-License-Identifier: Apache-2.0
#include <boost/multiprecision/cpp_int.hpp>
#include <gtest/gtest.h>
#include <random>

#include "millrace/fixed/requantize.h"
#include "millrace/support/check.h"

namespace millrace {
namespace {

using Big = boost::multiprecision::cpp_int;

// The independent model: exact rational numbers p / q of unlimited size, and a search among the
// integers around them, where the implementation divides with a remainder.

Big distance(const Big& y, const Big& p, const Big& q) {
  return abs(y * q - p);
}

/// The integer, of those around p / q, that the mode's definition names.
Big search_rounded(const Big& p, const Big& q, Rounding rounding) {
  const Big middle = p / q;
  const Big candidates[] = {middle - 2, middle - 1, middle, middle + 1, middle + 2};
  std::vector<Big> nearest;
  for (const Big& y : candidates) {
    if (rounding == Rounding::Floor && y * q > p)
      continue;
    if (rounding == Rounding::TowardsZero && abs(y * q) > abs(p))
      continue;
    if (!nearest.empty() && distance(y, p, q) < distance(nearest[0], p, q))
      nearest.clear();
    if (nearest.empty() || distance(y, p, q) == distance(nearest[0], p, q))
      nearest.push_back(y);
  }
  if (nearest.size() == 1)
    return nearest[0];
  const Big lower = nearest.at(0), upper = nearest.at(1);
  switch (rounding) {
    case Rounding::HalfUp:
      return upper;
    case Rounding::HalfDown:
      return lower;
    case Rounding::HalfTowardsZero:
      return abs(lower) < abs(upper) ? lower : upper;
    case Rounding::HalfAwayFromZero:
      return abs(lower) > abs(upper) ? lower : upper;
    default:
      return lower % 2 == 0 ? lower : upper;
  }
}

/// The remainder that is not negative.
Big modulo(const Big& y, const Big& span) {
  const Big remainder = y % span;
  return remainder < 0 ? Big(remainder + span) : remainder;
}

Big limited(const Big& y, const FixedType& type, Overflow overflow) {
  const Big lo(type.min_raw()), hi(type.max_raw());
  const Big span = hi - lo + 1;
  const bool symmetric = overflow == Overflow::SaturateSymmetric && type.is_signed;
  if (lo <= y && y <= hi)
    return symmetric && y < -hi ? Big(-hi) : y;
  if (overflow == Overflow::SaturateZero)
    return 0;
  if (overflow == Overflow::Wrap)
    return lo + modulo(y - lo, span);
  if (overflow == Overflow::WrapSignMagnitude && type.is_signed) {
    // A triangle wave: up through the range, then down.
    const Big phase = modulo(y - lo, 2 * span);
    return phase < span ? Big(lo + phase) : Big(hi - (phase - span));
  }
  return y > hi ? hi : symmetric ? Big(-hi) : lo;
}

Big model(Int128 numerator, int64_t denominator, int from_frac_bits, const Quantizer& to) {
  const int gained = to.type.frac_bits - from_frac_bits;
  const Big p = Big(numerator) << std::max(gained, 0);
  const Big q = Big(denominator) << std::max(-gained, 0);
  return limited(search_rounded(p, q, to.rounding), to.type, to.overflow);
}

std::string describe(Int128 numerator, int64_t denominator, int from, const Quantizer& to) {
  return to_string(numerator) + " / " + std::to_string(denominator) + " * 2^-" +
         std::to_string(from) + " to " + to.type.to_string() + " " +
         std::string(to_string(to.rounding)) + " " + std::string(to_string(to.overflow));
}

void compare(Int128 numerator, int64_t denominator, int from, const Quantizer& to) {
  ASSERT_EQ(Big(requantize_quotient(numerator, denominator, from, to)),
            model(numerator, denominator, from, to))
      << describe(numerator, denominator, from, to);
}

TEST(RequantizeQuotient, AgreesWithASearchOnSmallQuotientsInEveryMode) {
  for (const bool is_signed : {false, true})
    for (const int width : {1, 3, 4})
      for (int frac_bits = -2; frac_bits <= 3; ++frac_bits)
        for (const Rounding rounding : AllRoundings)
          for (const Overflow overflow : AllOverflows)
            for (const int64_t denominator : {1, 2, 3, 4, 6, 7, 9, 12})
              for (int numerator = -40; numerator <= 40; ++numerator) {
                compare(numerator, denominator, 1,
                        {{is_signed, width, frac_bits}, rounding, overflow});
                if (testing::Test::HasFatalFailure())
                  return;
              }
}

TEST(RequantizeQuotient, AgreesWithASearchOnNumbersOfAnySize) {
  std::mt19937_64 random(5);
  const auto below = [&random](int bound) { return static_cast<int>(random() % bound); };
  for (int round = 0; round < 60000; ++round) {
    Int128 numerator = (Int128{static_cast<int64_t>(random())} << 64) | random();
    numerator >>= 28 + below(99);  // at most 100 bits
    const auto denominator =
        std::max<int64_t>(1, static_cast<int64_t>(random() >> (2 + below(62))));
    // Near the numerator's size, or anywhere.
    const int width = 1 + below(64);
    const int from = below(200) - 100;
    const int frac_bits = from + (round % 3 == 0 ? below(2049) - 1024 : below(160) - 80);
    const Quantizer to{{random() % 2 == 0, width, frac_bits},
                       AllRoundings[random() % AllRoundings.size()],
                       AllOverflows[random() % AllOverflows.size()]};
    compare(numerator, denominator, from, to);
    if (HasFatalFailure())
      return;
  }
}

TEST(RequantizeQuotient, ADenominatorOfOneIsRequantize) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 20000; ++round) {
    const Int128 raw = static_cast<int64_t>(random()) >> (random() % 60);
    const int from = static_cast<int>(random() % 40);
    const Quantizer to{
        {random() % 2 == 0, 1 + static_cast<int>(random() % 20), static_cast<int>(random() % 40)},
        AllRoundings[random() % AllRoundings.size()],
        AllOverflows[random() % AllOverflows.size()]};
    ASSERT_EQ(requantize_quotient(raw, 1, from, to), requantize(raw, from, to))
        << describe(raw, 1, from, to);
    const int shift = static_cast<int>(random() % 50);
    ASSERT_EQ(requantize_quotient(raw, int64_t{1} << shift, from, to),
              requantize(raw, from + shift, to));
  }
}

TEST(RequantizeQuotient, AThirdIsNeverATie) {
  const auto to = [](Rounding rounding) { return Quantizer{{true, 8, 0}, rounding}; };
  for (const Rounding rounding : AllRoundings) {
    const bool towards_minus = rounding == Rounding::Floor;
    const bool truncates = towards_minus || rounding == Rounding::TowardsZero;
    EXPECT_EQ(requantize_quotient(1, 3, 0, to(rounding)), 0);
    EXPECT_EQ(requantize_quotient(2, 3, 0, to(rounding)), truncates ? 0 : 1);
    EXPECT_EQ(requantize_quotient(-1, 3, 0, to(rounding)), towards_minus ? -1 : 0);
    EXPECT_EQ(requantize_quotient(-2, 3, 0, to(rounding)), truncates && !towards_minus ? 0 : -1);
  }
}

TEST(RequantizeQuotient, DenominatorsOutOfRangeAreInternalErrors) {
  EXPECT_THROW((void)requantize_quotient(1, 0, 0, {}), InternalError);
  EXPECT_THROW((void)requantize_quotient(1, -3, 0, {}), InternalError);
  EXPECT_THROW((void)requantize_quotient(1, int64_t{1} << 62, 0, {}), InternalError);
  EXPECT_EQ(requantize_quotient(1, (int64_t{1} << 62) - 1, 0, {{true, 8, 0}}), 0);
}

}  // namespace
}  // namespace millrace
