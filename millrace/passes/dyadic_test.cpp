// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/dyadic.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace millrace::passes {
namespace {

using graph::Constant;

std::optional<Constant> narrowed(std::vector<double> values) {
  const Shape shape = {static_cast<int64_t>(values.size())};
  auto exact = exact_values(Constant{{shape, std::nullopt}, std::move(values)});
  return exact ? narrowest_constant(shape, *std::move(exact)) : std::nullopt;
}

std::string type_of(std::vector<double> values) {
  const auto constant = narrowed(std::move(values));
  return constant ? constant->type.fixed().to_string() : "none";
}

TEST(Dyadic, TypesAreTheNarrowest) {
  EXPECT_EQ(type_of({0}), "ufixed<1,1>");
  EXPECT_EQ(type_of({0, -0.0}), "ufixed<1,1>");
  EXPECT_EQ(type_of({1}), "ufixed<1,1>");
  EXPECT_EQ(type_of({-1}), "fixed<1,1>");
  EXPECT_EQ(type_of({0.5, 0.25}), "ufixed<2,0>");
  EXPECT_EQ(type_of({-0.5, 0.375}), "fixed<3,0>");
  EXPECT_EQ(type_of({96, 32, -64}), "fixed<3,8>");
  EXPECT_EQ(type_of({0.1}), "ufixed<52,-3>");  // 0x1.999999999999ap-4: the last bit is 0
}

TEST(Dyadic, BitsThatAreZeroEverywhereAreDropped) {
  const FixedType type = {.is_signed = true, .width = 9, .frac_bits = 1};
  const auto values = exact_values(Constant{{{2}, type}, std::vector<int64_t>{24, -200}});
  ASSERT_TRUE(values);  // 12 and -100
  const auto narrow = narrowest_constant({2}, *values);
  ASSERT_TRUE(narrow);
  EXPECT_EQ(narrow->type.to_string(), "tensor<2 x fixed<6,8>>");
  EXPECT_EQ(narrow->raw(), (std::vector<int64_t>{3, -25}));
}

TEST(Dyadic, NumbersFarApartHaveNoCommonType) {
  EXPECT_EQ(type_of({std::ldexp(1, 62), 1}), "ufixed<63,63>");
  EXPECT_EQ(type_of({std::ldexp(1, 63), 1}), "none");
  EXPECT_EQ(type_of({-std::ldexp(1, 63), 1}), "fixed<64,64>");
  EXPECT_EQ(type_of({1e300, 1e-300}), "none");
  EXPECT_EQ(type_of({std::ldexp(1, -1024)}), "ufixed<1,-1023>");
  EXPECT_EQ(type_of({std::ldexp(1, -1025)}), "none");
  EXPECT_EQ(type_of({std::numeric_limits<double>::denorm_min()}), "none");
  EXPECT_EQ(type_of({std::ldexp(1, 1023)}), "ufixed<1,1024>");
}

TEST(Dyadic, EveryFloatIsKeptExactly) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> values;
    for (int i = 0; i < 4; ++i)
      values.push_back(std::ldexp(static_cast<double>(static_cast<int64_t>(random()) >> 40),
                                  static_cast<int>(random() % 30) - 15));
    const auto constant = narrowed(values);
    ASSERT_TRUE(constant);
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(constant->type.fixed().to_double(constant->raw()[i]), values[i]);
  }
}

TEST(Dyadic, ScaleAndShiftIsExact) {
  const Dyadic x{{3, -5, 7, 0}, 2};  // 0.75, -1.25, 1.75, 0
  const Dyadic scale{{3, -1}, 1};    // 1.5, -0.5
  const Dyadic offset{{1, 4}, -3};   // 8, 32
  const auto y = scale_and_shift(x, scale, offset);
  ASSERT_TRUE(y);
  EXPECT_EQ(y->frac_bits, 3);  // 9.125, 32.625, 10.625, 32
  EXPECT_EQ(y->raw, (std::vector<Int128>{73, 261, 85, 256}));
}

TEST(Dyadic, ScaleAndShiftRefusesWhatDoesNotFit) {
  const Dyadic one{{1}, 0};
  EXPECT_TRUE(scale_and_shift(one, one, {{1}, 90}));
  EXPECT_FALSE(scale_and_shift(one, one, {{1}, 110}));
  EXPECT_FALSE(scale_and_shift({{Int128{1} << 64}, 0}, one, one));
  EXPECT_FALSE(scale_and_shift({{1}, 120}, one, one));
  // A zero has no bits, wherever its point is.
  EXPECT_TRUE(scale_and_shift({{1}, 120}, one, {{0}, 0}));
}

// As the constant's own narrowest type, found number by number.
TEST(Dyadic, TypesAreFoundWithoutTheIntegers) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> numbers(1 + random() % 4);
    for (double& number : numbers)
      number = std::ldexp(static_cast<double>(static_cast<int64_t>(random() % 4001) - 2000),
                          static_cast<int>(random() % 30) - 15);
    const auto whole = narrowed(numbers);
    for (const int width : {1, 8, 16, 53}) {
      const auto type = exact_type(numbers, width);
      ASSERT_EQ(type.has_value(), whole && whole->type.fixed().width <= width);
      if (type) {
        ASSERT_EQ(*type, whole->type.fixed());
      }
    }
  }
}

}  // namespace
}  // namespace millrace::passes
