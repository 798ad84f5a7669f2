// SPDX-License-Identifier: Apache-2.0
// The range of sums against every combination of inputs.
#include "millrace/graph/ops/linear_range.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "millrace/graph/ops/constant.h"

namespace millrace::graph {
namespace {

using Random = std::mt19937_64;

int64_t draw(Random& random, Int128 lo, Int128 hi) {
  return std::uniform_int_distribution<int64_t>(static_cast<int64_t>(lo),
                                                static_cast<int64_t>(hi))(random);
}

FixedType draw_type(Random& random, int max_width) {
  return {draw(random, 0, 1) == 1, static_cast<int>(draw(random, 1, max_width)),
          static_cast<int>(draw(random, -3, 5))};
}

Constant draw_constant(Random& random, Shape shape, int max_width) {
  const FixedType type = draw_type(random, max_width);
  std::vector<int64_t> raw(static_cast<size_t>(num_elements(shape)));
  std::generate(raw.begin(), raw.end(),
                [&] { return draw(random, type.min_raw(), type.max_raw()); });
  return {{std::move(shape), type}, std::move(raw)};
}

struct Extremes {
  Int128 lo, hi;
};

// Counts through every input vector as digits of one number.
Extremes by_enumeration(const FixedType& x, const Constant& w, const Constant& b, int64_t products,
                        int64_t sums) {
  const int w_frac = w.type.fixed().frac_bits;
  const int b_frac = b.type.fixed().frac_bits;
  const int frac = std::max(x.frac_bits + w_frac, b_frac);
  const auto values = static_cast<int64_t>(x.max_raw() - x.min_raw() + 1);
  int64_t combinations = 1;
  for (int64_t k = 0; k < products; ++k)
    combinations *= values;
  Extremes extremes = {Int128{1} << 100, -(Int128{1} << 100)};
  for (int64_t sum = 0; sum < sums; ++sum)
    for (int64_t code = 0; code < combinations; ++code) {
      Int128 total = Int128{b.raw()[sum]} * (Int128{1} << (frac - b_frac));
      for (int64_t k = 0, rest = code; k < products; ++k, rest /= values)
        total += (x.min_raw() + rest % values) * w.raw()[k * sums + sum] *
                 (Int128{1} << (frac - x.frac_bits - w_frac));
      extremes = {std::min(extremes.lo, total), std::max(extremes.hi, total)};
    }
  return extremes;
}

TEST(LinearRange, IsExactForEveryCombinationOfInputs) {
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    const int64_t products = draw(random, 1, 3);
    const int64_t sums = draw(random, 1, 3);
    const TensorType x = {{products}, draw_type(random, 4)};
    const Constant w = draw_constant(random, {products, sums}, 6);
    const Constant b = draw_constant(random, {sums}, 6);
    const auto type = linear_sum_type({&x, nullptr}, {&w.type, &w}, {&b.type, &b}, products, sums);
    ASSERT_TRUE(type);
    const Extremes expected = by_enumeration(x.fixed(), w, b, products, sums);
    EXPECT_EQ(type, narrowest_type(expected.lo, expected.hi, type->frac_bits)) << "round " << round;
  }
}

TEST(LinearRange, OperandsThatAreNotConstantTakeEveryValue) {
  Random random(8);
  for (int round = 0; round < 200; ++round) {
    const int64_t products = draw(random, 1, 3);
    const TensorType x = {{products}, draw_type(random, 3)};
    const TensorType w = {{products, 1}, draw_type(random, 3)};
    const TensorType b = {{1}, draw_type(random, 3)};
    const auto type = linear_sum_type({&x, nullptr}, {&w, nullptr}, {&b, nullptr}, products, 1);
    ASSERT_TRUE(type);
    // The largest and the smallest sums take extreme weights, the same for every product.
    Extremes expected = {Int128{1} << 100, -(Int128{1} << 100)};
    for (const Int128 weight : {w.fixed().min_raw(), w.fixed().max_raw()})
      for (const Int128 bias : {b.fixed().min_raw(), b.fixed().max_raw()}) {
        const Constant some_w = {
            w, std::vector<int64_t>(static_cast<size_t>(products), static_cast<int64_t>(weight))};
        const Constant some_b = {b, std::vector<int64_t>{static_cast<int64_t>(bias)}};
        const Extremes some = by_enumeration(x.fixed(), some_w, some_b, products, 1);
        expected = {std::min(expected.lo, some.lo), std::max(expected.hi, some.hi)};
      }
    EXPECT_EQ(type, narrowest_type(expected.lo, expected.hi, type->frac_bits)) << "round " << round;
  }
}

}  // namespace
}  // namespace millrace::graph
