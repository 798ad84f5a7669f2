// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/pointwise_datapath.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::BinaryFunction;
using graph::ExactFunction;

struct Interval {
  int64_t lo = 0, hi = 0;
};

/// All intervals within [lo, hi].
std::vector<Interval> intervals(int64_t lo, int64_t hi) {
  std::vector<Interval> all;
  for (int64_t first = lo; first <= hi; ++first)
    for (int64_t last = first; last <= hi; ++last)
      all.push_back({first, last});
  return all;
}

void give(Datapath& path, const std::vector<NodeId>& results) {
  for (const NodeId id : results)
    path.outputs.push_back({id, path.node(id).type()});
}

int64_t value_at(const Datapath& path, std::initializer_list<Int128> inputs) {
  return static_cast<int64_t>(
      path.evaluate(std::span<const Int128>(inputs.begin(), inputs.size())).front());
}

/// Compares what `append` makes of two elements with `expected`, for all values of all intervals.
template <class Append, class Expected>
void check_pairs(int64_t lo, int64_t hi, Append append, Expected expected) {
  for (const Interval& a : intervals(lo, hi))
    for (const Interval& b : intervals(lo, hi)) {
      Datapath path;
      const NodeId x = path.input(a.lo, a.hi);
      const NodeId y = path.input(b.lo, b.hi);
      give(path, {append(path, x, y)});
      for (int64_t i = a.lo; i <= a.hi; ++i)
        for (int64_t j = b.lo; j <= b.hi; ++j)
          ASSERT_EQ(value_at(path, {i, j}), expected(i, j))
              << i << " of [" << a.lo << ", " << a.hi << "], " << j << " of [" << b.lo << ", "
              << b.hi << "]";
    }
}

/// The same for one element.
template <class Append, class Expected>
void check_elements(int64_t lo, int64_t hi, Append append, Expected expected) {
  for (const Interval& a : intervals(lo, hi)) {
    Datapath path;
    give(path, {append(path, path.input(a.lo, a.hi))});
    for (int64_t i = a.lo; i <= a.hi; ++i)
      ASSERT_EQ(value_at(path, {i}), expected(i)) << i << " of [" << a.lo << ", " << a.hi << "]";
  }
}

TEST(PointwiseDatapath, AShiftMultipliesByAPowerOfTwo) {
  for (const int shift : {0, 1, 5})
    check_elements(
        -4, 4, [&](Datapath& path, NodeId x) { return append_shift(path, x, shift); },
        [&](int64_t x) { return x * (int64_t{1} << shift); });
  Datapath path;
  const NodeId x = path.input(0, 1);
  EXPECT_THROW(append_shift(path, x, -1), InternalError);
}

TEST(PointwiseDatapath, AScaledElementIsTheProductWithItsFactor) {
  for (int64_t factor = -70; factor <= 70; ++factor)
    check_elements(
        -3, 3, [&](Datapath& path, NodeId x) { return append_scaled(path, x, factor); },
        [&](int64_t x) { return x * factor; });
}

TEST(PointwiseDatapath, AProductIsExactForEveryPairOfRanges) {
  check_pairs(
      -5, 4, [](Datapath& path, NodeId a, NodeId b) { return append_product(path, a, b); },
      [](int64_t a, int64_t b) { return a * b; });
}

TEST(PointwiseDatapath, AProductWithAConstantHasNoChoices) {
  for (int64_t constant = -9; constant <= 9; ++constant) {
    Datapath path;
    const NodeId x = path.input(-8, 7);
    give(path, {append_product(path, path.constant(constant), x),
                append_product(path, x, path.constant(constant))});
    for (const Node& node : path.nodes())
      EXPECT_FALSE(std::holds_alternative<SelectNode>(node.kind));
    for (int64_t i = -8; i <= 7; ++i) {
      const std::vector<Int128> input{i};
      EXPECT_TRUE(path.evaluate(input) == std::vector<Int128>(2, i * constant));
    }
  }
}

// A signed type that holds no negative value has a bit that the range does not need.
TEST(PointwiseDatapath, AProductReadsTheBitsOfTheRangeNotOfTheType) {
  for (const Overflow overflow : AllOverflows) {
    Datapath path;
    const NodeId x = path.input(0, 20);
    const NodeId y = path.input(-40, 40);
    const Quantizer to{{true, 4, 0}, Rounding::Floor, overflow};
    const NodeId cut = path.requantize({.x = x, .from_frac_bits = 0, .to = to});
    give(path, {append_product(path, y, cut)});
    for (int64_t i = 0; i <= 20; ++i)
      for (int64_t j = -40; j <= 40; ++j)
        ASSERT_EQ(value_at(path, {i, j}), static_cast<int64_t>(requantize(Int128{i}, 0, to)) * j)
            << to_string(overflow);
  }
}

TEST(PointwiseDatapath, FunctionsOfTwoElementsAlignTheirBinaryPoints) {
  const auto check_function = [](BinaryFunction function, int frac_bits, auto expected) {
    check_pairs(
        -3, 3,
        [&](Datapath& path, NodeId a, NodeId b) {
          return append_binary(path, function, {a, 1}, {b, 3}, frac_bits);
        },
        expected);
  };
  // In units of 2^-4.
  check_function(BinaryFunction::Add, 4, [](int64_t a, int64_t b) { return 8 * a + 2 * b; });
  check_function(BinaryFunction::Sub, 4, [](int64_t a, int64_t b) { return 8 * a - 2 * b; });
  check_function(BinaryFunction::Mul, 4, [](int64_t a, int64_t b) { return a * b; });
  check_function(BinaryFunction::Mul, 6, [](int64_t a, int64_t b) { return 4 * a * b; });
  check_function(BinaryFunction::Maximum, 4,
                 [](int64_t a, int64_t b) { return std::max(8 * a, 2 * b); });
  check_function(BinaryFunction::Minimum, 4,
                 [](int64_t a, int64_t b) { return std::min(8 * a, 2 * b); });
}

TEST(PointwiseDatapath, APreluScalesNegativeElementsOnly) {
  for (const int frac_bits : {3, 5})
    check_pairs(
        -4, 3,
        [&](Datapath& path, NodeId x, NodeId alpha) {
          return append_prelu(path, {x, 1}, {alpha, 2}, frac_bits);
        },
        [&](int64_t x, int64_t alpha) {
          return (x >= 0 ? x * 4 : x * alpha) * (int64_t{1} << (frac_bits - 3));
        });
}

TEST(PointwiseDatapath, ExactFunctionsAreThoseOfTheNumber) {
  const auto check_function = [](ExactFunction function, auto expected) {
    check_elements(
        -9, 9, [&](Datapath& path, NodeId x) { return append_exact(path, function, x); }, expected);
  };
  check_function(ExactFunction::Negate, [](int64_t x) { return -x; });
  check_function(ExactFunction::Abs, [](int64_t x) { return x < 0 ? -x : x; });
  check_function(ExactFunction::Square, [](int64_t x) { return x * x; });
  check_function(ExactFunction::Sign, [](int64_t x) { return int64_t{x > 0} - int64_t{x < 0}; });
  check_function(ExactFunction::Binarize, [](int64_t x) { return x < 0 ? int64_t{-1} : 1; });
}

/// Every vector of `count` elements in [lo, hi].
std::vector<std::vector<Int128>> vectors(int count, int64_t lo, int64_t hi) {
  std::vector<std::vector<Int128>> all{{}};
  for (int i = 0; i < count; ++i) {
    std::vector<std::vector<Int128>> longer;
    for (const std::vector<Int128>& shorter : all)
      for (int64_t value = lo; value <= hi; ++value) {
        longer.push_back(shorter);
        longer.back().push_back(value);
      }
    all = std::move(longer);
  }
  return all;
}

TEST(PointwiseDatapath, AReductionIsTheSumOrTheLargestElement) {
  for (int count = 1; count <= 5; ++count) {
    Datapath path;
    std::vector<NodeId> x;
    for (int i = 0; i < count; ++i)
      x.push_back(path.input(-1, 2));
    give(path, {append_reduction(path, graph::ReduceFunction::Sum, x),
                append_reduction(path, graph::ReduceFunction::Max, x)});
    for (const std::vector<Int128>& values : vectors(count, -1, 2)) {
      const std::vector<Int128> expected{std::accumulate(values.begin(), values.end(), Int128{0}),
                                         *std::max_element(values.begin(), values.end())};
      ASSERT_TRUE(path.evaluate(values) == expected);
    }
  }
}

/// The indices of the elements, the largest one's first, of equal ones the lower first.
std::vector<Int128> sorted_indices(const std::vector<Int128>& values) {
  std::vector<Int128> indices(values.size());
  std::iota(indices.begin(), indices.end(), Int128{0});
  std::stable_sort(indices.begin(), indices.end(), [&](Int128 a, Int128 b) {
    return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)];
  });
  return indices;
}

TEST(PointwiseDatapath, TopKGivesTheIndicesInOrder) {
  for (int count = 1; count <= 5; ++count)
    for (int k = 1; k <= count; ++k) {
      Datapath path;
      std::vector<NodeId> x;
      for (int i = 0; i < count; ++i)
        x.push_back(path.input(-1, 1));
      give(path, append_top_k(path, x, k));
      for (const std::vector<Int128>& values : vectors(count, -1, 1)) {
        std::vector<Int128> expected = sorted_indices(values);
        expected.resize(static_cast<size_t>(k));
        ASSERT_TRUE(path.evaluate(values) == expected) << count << " elements, k " << k;
      }
    }
}

// Some comparisons are decided before they are made.
TEST(PointwiseDatapath, TopKOfElementsThatCannotMeetIsRight) {
  const Interval ranges[] = {{0, 1}, {2, 3}, {1, 2}, {-2, -1}};
  for (int k = 1; k <= 4; ++k) {
    Datapath path;
    std::vector<NodeId> x;
    for (const Interval& range : ranges)
      x.push_back(path.input(range.lo, range.hi));
    give(path, append_top_k(path, x, k));
    for (const std::vector<Int128>& choice : vectors(4, 0, 1)) {
      std::vector<Int128> values;
      for (size_t i = 0; i < choice.size(); ++i)
        values.push_back(ranges[i].lo + choice[i]);
      std::vector<Int128> expected = sorted_indices(values);
      expected.resize(static_cast<size_t>(k));
      ASSERT_TRUE(path.evaluate(values) == expected) << "k " << k;
    }
  }
}

/// A type and the fraction bits of the sum in front of it.
struct Cut {
  FixedType type;
  int frac_bits = 0;
};

void check_quotients(const Interval& range, const std::vector<Cut>& cuts, int64_t max_count) {
  for (const Cut& cut : cuts)
    for (const Rounding rounding : AllRoundings)
      for (const Overflow overflow : AllOverflows)
        for (int64_t count = 1; count <= max_count; ++count) {
          const Quantizer to{cut.type, rounding, overflow};
          Datapath path;
          const NodeId sum = path.input(range.lo, range.hi);
          give(path, {append_quotient(path, {sum, cut.frac_bits}, count, to)});
          for (int64_t n = range.lo; n <= range.hi; ++n)
            ASSERT_EQ(value_at(path, {n}),
                      static_cast<int64_t>(requantize_quotient(n, count, cut.frac_bits, to)))
                << n << " / " << count << ", " << to_string(rounding) << ", " << to_string(overflow)
                << ", " << cut.type.to_string() << " from " << cut.frac_bits << " fraction bits";
        }
}

TEST(PointwiseDatapath, AQuotientIsRoundedOnceInEveryModeForEveryCount) {
  const std::vector<Cut> cuts = {{{true, 5, 0}, 0}, {{true, 4, 1}, 3}, {{false, 6, 2}, 0}};
  check_quotients({-21, 24}, cuts, 64);
}

TEST(PointwiseDatapath, AQuotientOfSumsOfOneSignIsRounded) {
  const std::vector<Cut> cuts = {{{true, 4, 0}, 1}, {{false, 3, 0}, 0}};
  check_quotients({0, 40}, cuts, 24);
  check_quotients({-40, -1}, cuts, 24);
  check_quotients({7, 31}, cuts, 24);
}

TEST(PointwiseDatapath, AQuotientOfAWideSumIsExact) {
  std::mt19937_64 random(1);
  for (const Rounding rounding : AllRoundings)
    for (const int64_t count : {3, 7, 9, 25, 48, 49, 63, 1023}) {
      const Quantizer to{{true, 20, 4}, rounding, Overflow::Saturate};
      constexpr int64_t Most = int64_t{1} << 22;
      Datapath path;
      const NodeId sum = path.input(-Most, Most - 1);
      give(path, {append_quotient(path, {sum, 6}, count, to)});
      const auto check_value = [&](int64_t n) {
        n = std::clamp(n, -Most, Most - 1);
        ASSERT_EQ(value_at(path, {n}), static_cast<int64_t>(requantize_quotient(n, count, 6, to)))
            << n << " / " << count << ", " << to_string(rounding);
      };
      for (const int64_t edge : {-Most, Most - 1, int64_t{0}})
        for (int64_t n = edge - 3 * count; n <= edge + 3 * count; ++n)
          check_value(n);
      for (int i = 0; i < 300; ++i)
        check_value(static_cast<int64_t>(random() % (2 * Most)) - Most);
    }
}

}  // namespace
}  // namespace millrace::dataflow
