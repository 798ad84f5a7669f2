// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/real_function.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace millrace::passes {
namespace {

using graph::Unary;
using graph::UnaryFunction;

constexpr FixedType fixed(int width, int frac_bits) {
  return {.is_signed = true, .width = width, .frac_bits = frac_bits};
}

struct Golden {
  UnaryFunction function;
  std::vector<int64_t> table;  // fixed<4,3> to fixed<10,5>, rounded down
  uint64_t hash;               // fixed<9,4> to fixed<48,8>, rounded to nearest
};

// From 900-digit arithmetic.
const Golden Goldens[] = {
    {UnaryFunction::Sigmoid,
     {0, 0, 1, 2, 3, 5, 8, 12, 16, 19, 23, 26, 28, 29, 30, 31},
     3101691954967201560U},
    {UnaryFunction::Tanh,
     {-32, -32, -32, -32, -31, -29, -25, -15, 0, 14, 24, 28, 30, 31, 31, 31},
     8995944936498405273U},
    {UnaryFunction::Exp,
     {0, 0, 1, 2, 4, 7, 11, 19, 32, 52, 86, 143, 236, 389, 511, 511},
     11190696301853416792U},
    {UnaryFunction::Log,
     {0, 0, 0, 0, 0, 0, 0, 0, -512, -23, 0, 12, 22, 29, 35, 40},
     1476948555175242967U},
    {UnaryFunction::Gelu,
     {-1, -1, -1, -1, -2, -4, -6, -5, 0, 11, 26, 44, 62, 79, 95, 111},
     4047530229424128950U},
    {UnaryFunction::GeluTanh,
     {-1, -1, -1, -1, -2, -4, -6, -5, 0, 11, 26, 44, 62, 79, 95, 111},
     5737027005478284964U},
    {UnaryFunction::Silu,
     {-3, -4, -5, -7, -8, -9, -9, -7, 0, 9, 23, 39, 56, 73, 91, 108},
     6516667548775077075U},
    {UnaryFunction::Softplus,
     {0, 0, 1, 2, 4, 6, 10, 15, 22, 31, 42, 54, 68, 82, 97, 112},
     9842316046195453657U},
    {UnaryFunction::Softsign,
     {-26, -25, -24, -23, -22, -20, -16, -11, 0, 10, 16, 19, 21, 22, 24, 24},
     10311500201880451886U},
    {UnaryFunction::Elu,
     {-32, -32, -31, -30, -28, -25, -21, -13, 0, 16, 32, 48, 64, 80, 96, 112},
     16516366043372307652U},
    {UnaryFunction::Selu,
     {-56, -55, -54, -52, -49, -44, -36, -23, 0, 16, 33, 50, 67, 84, 100, 117},
     7793278409571292142U},
    {UnaryFunction::Erf,
     {-32, -32, -32, -32, -32, -31, -27, -17, 0, 16, 26, 30, 31, 31, 31, 31},
     14558311816853492616U},
    {UnaryFunction::Sqrt,
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 22, 32, 39, 45, 50, 55, 59},
     5535798787435085161U},
    {UnaryFunction::Rsqrt,
     {0, 0, 0, 0, 0, 0, 0, 0, 511, 45, 32, 26, 22, 20, 18, 17},
     17807895091810136338U},
    {UnaryFunction::Reciprocal,
     {-8, -10, -11, -13, -16, -22, -32, -64, 511, 64, 32, 21, 16, 12, 10, 9},
     14809098947698321709U},
    {UnaryFunction::HardSigmoid,
     {0, 0, 0, 0, 3, 6, 9, 12, 16, 19, 22, 25, 28, 32, 32, 32},
     5299451201085084032U},
    {UnaryFunction::HardTanh,
     {-32, -32, -32, -32, -32, -32, -32, -16, 0, 16, 32, 32, 32, 32, 32, 32},
     12046980569146327040U},
    {UnaryFunction::HardSwish,
     {0, 0, 0, -7, -11, -12, -11, -7, 0, 9, 21, 36, 53, 73, 96, 112},
     6764335030375096832U},
    {UnaryFunction::Mish,
     {-3, -4, -5, -7, -9, -10, -10, -8, 0, 12, 27, 44, 62, 79, 95, 111},
     16879855995696718091U},
};

TEST(RealFunction, EntriesAreTheFunctionRoundedOnce) {
  ASSERT_EQ(std::ssize(Goldens), graph::NumUnaryFunctions);
  for (const Golden& golden : Goldens) {
    SCOPED_TRACE(to_string(golden.function));
    const Quantizer down{fixed(10, 5), Rounding::Floor, Overflow::Saturate};
    EXPECT_EQ(function_table({golden.function}, fixed(4, 1), down), golden.table);
    uint64_t hash = 0;
    for (const int64_t entry : function_table({golden.function}, fixed(9, 5), {fixed(48, 40)}))
      hash = hash * 1000003 + static_cast<uint64_t>(entry);
    EXPECT_EQ(hash, golden.hash);
  }
}

int64_t entry(const Unary& function, int64_t raw, int frac_bits, Rounding rounding,
              Overflow overflow = Overflow::Saturate) {
  return quantized_function(function, raw, frac_bits, {fixed(8, 4), rounding, overflow});
}

TEST(RealFunction, WhatIsAlmostReachedIsNotReached) {
  // 1, 0 and -1 from below and above, however close: also where no number format tells them apart.
  const auto down = [](UnaryFunction function, int64_t x, int frac_bits) {
    return entry({function}, x, frac_bits, Rounding::Floor);
  };
  for (const int frac_bits : {0, -10, -60, -1000}) {
    EXPECT_EQ(down(UnaryFunction::Tanh, 100, frac_bits), 15);
    EXPECT_EQ(down(UnaryFunction::Tanh, -100, frac_bits), -16);
    EXPECT_EQ(down(UnaryFunction::Erf, 100, frac_bits), 15);
    EXPECT_EQ(down(UnaryFunction::Erf, -100, frac_bits), -16);
    EXPECT_EQ(down(UnaryFunction::Sigmoid, 100, frac_bits), 15);
    EXPECT_EQ(down(UnaryFunction::Sigmoid, -100, frac_bits), 0);
    EXPECT_EQ(down(UnaryFunction::Exp, -100, frac_bits), 0);
    EXPECT_EQ(down(UnaryFunction::Softplus, -100, frac_bits), 0);
    EXPECT_EQ(down(UnaryFunction::Elu, -100, frac_bits), -16);
    EXPECT_EQ(down(UnaryFunction::Gelu, -100, frac_bits), -1);
    EXPECT_EQ(down(UnaryFunction::GeluTanh, -100, frac_bits), -1);
    EXPECT_EQ(down(UnaryFunction::Silu, -100, frac_bits), -1);
    EXPECT_EQ(down(UnaryFunction::Mish, -100, frac_bits), -1);
  }
  EXPECT_EQ(down(UnaryFunction::Softsign, 100, -200), 15);
  EXPECT_EQ(down(UnaryFunction::Reciprocal, 100, -200), 0);
  EXPECT_EQ(down(UnaryFunction::Reciprocal, -100, -200), -1);
  EXPECT_EQ(down(UnaryFunction::Silu, 7, 0), 7 * 16 - 1);
  EXPECT_EQ(down(UnaryFunction::Softplus, 7, 0), 7 * 16);
}

TEST(RealFunction, RationalResultsAreExact) {
  for (const Rounding rounding : AllRoundings) {
    EXPECT_EQ(entry({UnaryFunction::Sqrt}, 9, 2, rounding), 24);
    EXPECT_EQ(entry({UnaryFunction::Rsqrt}, 1, 2, rounding), 32);
    EXPECT_EQ(entry({UnaryFunction::Reciprocal}, -8, 2, rounding), -8);
    EXPECT_EQ(entry({UnaryFunction::Softsign}, 3, 0, rounding), 12);
    EXPECT_EQ(entry({UnaryFunction::HardSwish}, 3, 1, rounding), 18);
    EXPECT_EQ(entry({UnaryFunction::HardSigmoid, 0.25}, -1, 0, rounding), 4);
    EXPECT_EQ(entry({UnaryFunction::HardTanh, -0.25, 0.5}, -1, 0, rounding), -4);
    EXPECT_EQ(entry({UnaryFunction::Exp}, 0, 0, rounding), 16);
    EXPECT_EQ(entry({UnaryFunction::Log}, 1, 0, rounding), 0);
    EXPECT_EQ(entry({UnaryFunction::Tanh}, 0, 0, rounding), 0);
  }
}

TEST(RealFunction, InfinitiesSaturateAndTheUndefinedIsZero) {
  const auto reciprocal = [](Overflow overflow) {
    return entry({UnaryFunction::Reciprocal}, 0, 0, Rounding::HalfEven, overflow);
  };
  EXPECT_EQ(reciprocal(Overflow::Saturate), 127);
  EXPECT_EQ(reciprocal(Overflow::Wrap), 127);
  EXPECT_EQ(reciprocal(Overflow::WrapSignMagnitude), 127);
  EXPECT_EQ(reciprocal(Overflow::SaturateSymmetric), 127);
  EXPECT_EQ(reciprocal(Overflow::SaturateZero), 0);
  EXPECT_EQ(entry({UnaryFunction::Log}, 0, 0, Rounding::Floor), -128);
  EXPECT_EQ(entry({UnaryFunction::Log}, 0, 0, Rounding::Floor, Overflow::SaturateSymmetric), -127);
  EXPECT_EQ(entry({UnaryFunction::Rsqrt}, 0, 0, Rounding::Floor), 127);
  EXPECT_EQ(entry({UnaryFunction::Exp}, 1000, 0, Rounding::Floor, Overflow::Wrap), 127);
  EXPECT_EQ(entry({UnaryFunction::Exp}, 1, -1000, Rounding::Floor), 127);
  for (const UnaryFunction function :
       {UnaryFunction::Log, UnaryFunction::Sqrt, UnaryFunction::Rsqrt})
    EXPECT_EQ(entry({function}, -1, 0, Rounding::Floor), 0);
}

TEST(RealFunction, SmallNumbersAreRoundedByTheirSeries) {
  // At x = 2^-40: tanh(x) = x - x^3/3, silu(x) = x/2 + x^2/4, elu(-x) = -x + x^2/2.
  const Quantizer down{fixed(8, 40), Rounding::Floor, Overflow::Saturate};
  EXPECT_EQ(quantized_function({UnaryFunction::Tanh}, 2, 40, down), 1);
  EXPECT_EQ(quantized_function({UnaryFunction::Tanh}, -2, 40, down), -2);
  EXPECT_EQ(quantized_function({UnaryFunction::Silu}, 2, 40, down), 1);
  EXPECT_EQ(quantized_function({UnaryFunction::Silu}, -2, 40, down), -1);
  EXPECT_EQ(quantized_function({UnaryFunction::Elu}, -2, 40, down), -2);
  const Quantizer nearest{fixed(8, 40), Rounding::HalfDown, Overflow::Saturate};
  EXPECT_EQ(quantized_function({UnaryFunction::Silu}, 1, 40, nearest), 1);
  EXPECT_EQ(quantized_function({UnaryFunction::Silu}, -1, 40, nearest), 0);
}

}  // namespace
}  // namespace millrace::passes
