// SPDX-License-Identifier: Apache-2.0
// Operations element by element and along the channels, with results worked out by hand.
#include "millrace/reference/pointwise.h"

#include <gtest/gtest.h>
#include <limits>

#include "millrace/reference/evaluate.h"

namespace millrace::reference {
namespace {

using graph::BinaryFunction;
using graph::Builder;
using graph::OpKind;
using graph::ValueId;

constexpr FixedType Int4{true, 4, 0};
constexpr FixedType Quarters{true, 4, 2};

/// An operand: a shape, an element type and raw integers.
struct Given {
  Shape shape;
  FixedType type;
  std::vector<int64_t> raw;
};

/// The results of one operation on inputs.
std::vector<int64_t> run(const OpKind& kind, const std::vector<Given>& operands) {
  Builder builder("g");
  std::vector<ValueId> values;
  std::vector<IntTensor> inputs;
  for (const Given& operand : operands) {
    values.push_back(builder.add("x", graph::Input{{operand.shape, operand.type}}).value());
    inputs.push_back({operand.shape, operand.raw});
  }
  builder.output(builder.add("y", kind, values).value());
  return evaluate(std::move(builder).finish().value(), inputs).at(0).data;
}

using Values = std::vector<int64_t>;

TEST(Binary, OperandsAreAlignedBeforeSums) {
  const Given a{{3}, Int4, {-8, 1, 7}};
  const Given b{{3}, Quarters, {-8, 3, 7}};
  EXPECT_EQ(run(graph::Add{}, {a, b}), (Values{-40, 7, 35}));
  EXPECT_EQ(run(graph::Sub{}, {a, b}), (Values{-24, 1, 21}));
  EXPECT_EQ(run(graph::Sub{}, {b, a}), (Values{24, -1, -21}));
  EXPECT_EQ(run(graph::Mul{}, {a, b}), (Values{64, 3, 49}));
  EXPECT_EQ(run(graph::Maximum{}, {a, b}), (Values{-8, 4, 28}));
  EXPECT_EQ(run(graph::Minimum{}, {a, b}), (Values{-32, 3, 7}));
}

TEST(Binary, SecondOperandsAreRepeated) {
  const Given a{{1, 2, 3}, Int4, {0, 1, 2, 3, 4, 5}};
  EXPECT_EQ(run(graph::Add{}, {a, {{3}, Int4, {1, 2, -3}}}), (Values{1, 3, -1, 4, 6, 2}));
  EXPECT_EQ(run(graph::Mul{}, {a, {{1}, Int4, {-2}}}), (Values{0, -2, -4, -6, -8, -10}));
  EXPECT_EQ(run(graph::Sub{}, {a, {{1, 2, 1}, Int4, {1, 4}}}), (Values{-1, 0, 1, -1, 0, 1}));
}

TEST(Binary, MaximaFarApartAreExact) {
  // 2^61 against 2^-1: aligned, one of them has 62 bits.
  const Given a{{1}, {false, 2, -60}, {2}};
  const Given b{{1}, {false, 1, 1}, {1}};
  EXPECT_EQ(run(graph::Maximum{}, {a, b}), (Values{int64_t{1} << 62}));
  EXPECT_EQ(run(graph::Minimum{}, {a, b}), (Values{1}));
}

TEST(Prelu, ScalesNegativeNumbersOnly) {
  const Given x{{1, 2, 2}, Int4, {-8, -8, 7, 7}};
  EXPECT_EQ(run(graph::Prelu{}, {x, {{2}, Quarters, {1, -3}}}), (Values{-8, 24, 28, 28}));
  EXPECT_EQ(run(graph::Prelu{}, {x, {{1}, Quarters, {2}}}), (Values{-16, -16, 28, 28}));
  const FixedType eights{true, 3, -3};
  EXPECT_EQ(run(graph::Prelu{}, {x, {{1}, eights, {2}}}), (Values{-128, -128, 7, 7}));
}

TEST(Exact, EveryFunctionIsExactAtTheEnds) {
  const Given x{{4}, Quarters, {-8, 7, 0, -1}};
  EXPECT_EQ(run(graph::Abs{}, {x}), (Values{8, 7, 0, 1}));
  EXPECT_EQ(run(graph::Negate{}, {x}), (Values{8, -7, 0, 1}));
  EXPECT_EQ(run(graph::Sign{}, {x}), (Values{-1, 1, 0, -1}));
  EXPECT_EQ(run(graph::Binarize{}, {x}), (Values{-1, 1, 1, -1}));
  EXPECT_EQ(run(graph::Square{}, {x}), (Values{64, 49, 0, 1}));
  const int64_t smallest = std::numeric_limits<int64_t>::min() / 2;
  EXPECT_EQ(run(graph::Abs{}, {{{1}, {true, 63, 0}, {smallest}}}), (Values{-smallest}));
}

TEST(Requantize, ChannelsHaveTypesOfTheirOwn) {
  const FixedType coarse{true, 3, 0}, fine{false, 3, 1}, common{true, 4, 1};
  const graph::Requantize op{{common, Rounding::Floor, Overflow::Saturate}, {coarse, fine}};
  EXPECT_EQ(run(op, {{{1, 2, 2}, {true, 6, 2}, {-20, -20, 15, 15}}}), (Values{-8, 0, 6, 7}));
}

TEST(Reduce, GoesAlongTheChannels) {
  const Given x{{1, 2, 3}, Int4, {-8, 3, -1, 7, 7, 7}};
  EXPECT_EQ(run(graph::Reduce{graph::ReduceFunction::Max}, {x}), (Values{3, 7}));
  EXPECT_EQ(run(graph::Reduce{graph::ReduceFunction::Sum}, {x}), (Values{-6, 21}));
}

TEST(TopK, EqualNumbersStandByChannel) {
  const Given x{{1, 2, 4}, Int4, {1, 7, 7, -8, 5, 5, 5, 5}};
  EXPECT_EQ(run(graph::TopK{1}, {x}), (Values{1, 0}));
  EXPECT_EQ(run(graph::TopK{4}, {x}), (Values{1, 2, 0, 3, 0, 1, 2, 3}));
}

}  // namespace
}  // namespace millrace::reference
