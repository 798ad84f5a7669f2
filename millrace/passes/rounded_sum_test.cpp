// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/rounded_sum.h"

#include <gtest/gtest.h>
#include <random>

namespace millrace::passes {
namespace {

Int128 clamp(const Integer& number, const RoundedSum& sum) {
  return static_cast<Int128>(std::clamp(number, Integer(sum.least), Integer(sum.most)));
}

Int128 exact(const RoundedSum& sum, const std::vector<Int128>& x) {
  Rational total = sum.offset;
  for (size_t i = 0; i < x.size(); ++i)
    total += sum.summands[i].slope * Integer(x[i]);
  return clamp(rounded(total, sum.rounding), sum);
}

Int128 shifted(const RoundedSum& sum, const ShiftedSum& by, const std::vector<Int128>& x) {
  Int128 total = by.offset;
  for (size_t i = 0; i < x.size(); ++i)
    total += by.multipliers[i] * x[i];
  return clamp(rounded(rational(total, by.frac_bits), shifted_rounding(sum.rounding)), sum);
}

void expect_equal(const RoundedSum& sum) {
  const auto result = shifted_sum(sum);
  ASSERT_TRUE(result) << to_string(sum.rounding) << " " << sum.summands[0].slope << " "
                      << sum.summands.size() << " " << sum.offset << " " << int(sum.least);
  const Summand& a = sum.summands[0];
  for (Int128 x = a.lo; x <= a.hi; ++x) {
    if (sum.summands.size() == 1) {
      ASSERT_EQ(exact(sum, {x}), shifted(sum, *result, {x}));
      continue;
    }
    for (Int128 y = sum.summands[1].lo; y <= sum.summands[1].hi; ++y)
      ASSERT_EQ(exact(sum, {x, y}), shifted(sum, *result, {x, y}));
  }
}

TEST(RoundedSum, RoundsAsRequantizeDoes) {
  for (const Rounding rounding : AllRoundings)
    for (int raw = -40; raw <= 40; ++raw)
      EXPECT_EQ(static_cast<Int128>(rounded(rational(raw, 3), rounding)),
                requantize(Int128{raw}, 3, {{true, 20, 0}, rounding, Overflow::Saturate}))
          << raw << " " << to_string(rounding);
}

TEST(RoundedSum, MultipliersGiveTheSameForEveryNumber) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<float> any(-1, 1);
  for (const Rounding rounding : AllRoundings)
    for (int round = 0; round < 8; ++round) {
      RoundedSum sum{{{-300, 400, rational(any(random) * (round % 2 ? 1 : 0.05F))}},
                     rational(any(random) * 9),
                     rounding,
                     round % 3 ? -128 : 0,
                     127};
      expect_equal(sum);
      sum.summands[0] = {-30, 50, sum.summands[0].slope};
      sum.summands.push_back({-20, 60, rational(any(random))});
      expect_equal(sum);
    }
}

TEST(RoundedSum, MultipliersAreShort) {
  // An 8-bit result of a 20-bit sum: 255 places among 2^20, each exactly where it is.
  const RoundedSum sum{
      {{-500000, 500000, rational(0.00021372938F)}}, 0, Rounding::HalfEven, -128, 127};
  const auto result = shifted_sum(sum);
  ASSERT_TRUE(result);
  EXPECT_LT(result->multipliers[0], 1 << 24);
}

TEST(RoundedSum, QuotientsRoundExactly) {
  // A third has no dyadic equal; its steps lie between the integers.
  expect_equal({{{-1000, 1000, Rational(1, 3)}}, 0, Rounding::HalfEven, -128, 127});
  expect_equal({{{0, 2000, Rational(1, 9)}}, Rational(1, 7), Rounding::HalfEven, 0, 255});
}

TEST(RoundedSum, TiesThatGoBothWaysHaveNone) {
  EXPECT_FALSE(shifted_sum({{{0, 40, Rational(1, 2)}}, 0, Rounding::HalfEven, -128, 127}));
  EXPECT_TRUE(shifted_sum({{{0, 40, Rational(1, 2)}}, 0, Rounding::HalfUp, -128, 127}));
}

TEST(RoundedSum, ConstantsAndSingleNumbersAreSums) {
  expect_equal({{{-9, 9, 0}}, rational(3.25), Rounding::HalfEven, -128, 127});
  expect_equal({{{4, 4, rational(0.7F)}}, 0, Rounding::HalfEven, -128, 127});
  expect_equal({{{-9, 9, rational(100.3F)}}, 0, Rounding::HalfEven, 0, 1});
}

TEST(RoundedSum, TooManyStairsHaveNone) {
  EXPECT_FALSE(shifted_sum(
      {{{0, Int128{1} << 30, rational(0.9F)}}, 0, Rounding::HalfEven, 0, Int128{1} << 30}));
}

}  // namespace
}  // namespace millrace::passes
