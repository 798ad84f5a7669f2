// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/emulator.h"

#include <atomic>
#include <gtest/gtest.h>
#include <limits>

#include "millrace/reference/evaluate.h"
#include "millrace/support/check.h"

namespace millrace::emulator {
namespace {

using graph::Builder;
using graph::Graph;
using graph::ValueId;

constexpr FixedType Int4{true, 4, 0};

/// max(x, 0) of `count` numbers.
Graph relu_graph(int64_t count, const FixedType& type) {
  Builder builder("relu");
  const ValueId x = builder.add("x", graph::Input{{{count}, type}}).value();
  builder.output(builder.add("y", graph::Relu{}, {x}).value());
  return std::move(builder).finish().value();
}

TEST(Emulator, TakesAndGivesImagesOneAfterTheOther) {
  const Emulator emulator(relu_graph(3, Int4));
  EXPECT_EQ(emulator.run(std::vector<int64_t>{-1, 2, 3, 4, -5, 6}),
            (std::vector<int64_t>{0, 2, 3, 4, 0, 6}));
  EXPECT_EQ(emulator.input_type().shape, Shape{3});
  EXPECT_EQ(emulator.output_type().fixed(), (FixedType{false, 3, 0}));
}

TEST(Emulator, AnyNumberOfImagesWillDo) {
  const Emulator emulator(relu_graph(1, Int4));
  for (const size_t count : {0, 1, 31, 32, 33, 64, 1000, 20000}) {
    std::vector<int64_t> inputs, expected;
    for (size_t i = 0; i < count; ++i) {
      inputs.push_back(static_cast<int64_t>(i % 16) - 8);
      expected.push_back(std::max(inputs.back(), int64_t{0}));
    }
    EXPECT_EQ(emulator.run(inputs), expected) << count;
  }
}

TEST(Emulator, EmptyBatchesGiveEmptyResults) {
  EXPECT_TRUE(Emulator(relu_graph(5, Int4)).run({}).empty());
}

TEST(Emulator, KeepsValuesOf64Bits) {
  constexpr int64_t Max = std::numeric_limits<int64_t>::max();
  constexpr int64_t Min = std::numeric_limits<int64_t>::min();
  const Emulator emulator(relu_graph(4, {true, 64, 3}));
  EXPECT_EQ(emulator.run(std::vector<int64_t>{Max, Min, 5, -5}),
            (std::vector<int64_t>{Max, 0, 5, 0}));
}

TEST(Emulator, SumsMayWrapAroundOnTheWay) {
  // 3 * 2^30 in 32 bits wraps until the bias brings it back.
  Builder builder("sum");
  const ValueId x = builder.add("x", graph::Input{{{1}, FixedType{false, 1, 0}}}).value();
  const ValueId w = builder.constant("w", {{1, 1}, {int64_t{3} << 30}}, {true, 34, 0}).value();
  const ValueId b = builder.constant("b", {{1}, {-(int64_t{1} << 31)}}, {true, 32, 0}).value();
  builder.output(builder.add("y", graph::Dense{}, {x, w, b}).value());
  const Emulator emulator(std::move(builder).finish().value());
  EXPECT_EQ(emulator.output_type().fixed().width, 32);
  EXPECT_EQ(emulator.run(std::vector<int64_t>{0, 1}),
            (std::vector<int64_t>{-(int64_t{1} << 31), int64_t{1} << 30}));
}

TEST(Emulator, ComputesWeightsThatFollowFromConstants) {
  Builder builder("folded");
  const ValueId x = builder.add("x", graph::Input{{{2}, Int4}}).value();
  const ValueId fine = builder.constant("fine", {{2, 1}, {-9, 13}}, {true, 8, 2}).value();
  const graph::Requantize whole{{Int4, Rounding::HalfUp, Overflow::Saturate}};
  const ValueId w = builder.add("w", whole, {fine}).value();  // -2, 3
  const ValueId b = builder.constant("b", {{1}, {1}}, Int4).value();
  builder.output(builder.add("y", graph::Dense{}, {x, w, b}).value());
  const Emulator emulator(std::move(builder).finish().value());
  EXPECT_EQ(emulator.run(std::vector<int64_t>{1, 2, 3, -1}), (std::vector<int64_t>{5, -8}));
}

TEST(Emulator, GivesKnownResultsForEveryImage) {
  Builder builder("known");
  ASSERT_TRUE(builder.add("x", graph::Input{{{2}, Int4}}));
  const ValueId c = builder.constant("c", {{1, 1, 3}, {-3, 0, 7}}, Int4).value();
  builder.output(builder.add("y", graph::Flatten{}, {c}).value());
  const Emulator emulator(std::move(builder).finish().value());
  EXPECT_EQ(emulator.run(std::vector<int64_t>{1, 2, 3, 4}),
            (std::vector<int64_t>{-3, 0, 7, -3, 0, 7}));
}

TEST(Emulator, AGraphMayGiveItsInputBack) {
  Builder builder("identity");
  const ValueId x = builder.add("x", graph::Input{{{1, 2, 1}, Int4}}).value();
  builder.output(builder.add("y", graph::Flatten{}, {x}).value());
  const Emulator emulator(std::move(builder).finish().value());
  EXPECT_EQ(emulator.run(std::vector<int64_t>{1, 2, 3, 4}), (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST(Emulator, TakesSeveralInputsAndGivesSeveralOutputs) {
  Builder builder("ports");
  const ValueId a = builder.add("a", graph::Input{{{2}, Int4}}).value();
  ASSERT_TRUE(builder.add("unused", graph::Input{{{3}, Int4}}));
  const ValueId b = builder.add("b", graph::Input{{{1}, Int4}}).value();
  const ValueId sum = builder.add("sum", graph::Add{}, {a, b}).value();
  const ValueId twice = builder.add("twice", graph::Add{}, {sum, sum}).value();
  for (const ValueId output : {twice, b, sum, sum})
    builder.output(output);
  const Emulator emulator(std::move(builder).finish().value());
  ASSERT_EQ(emulator.num_inputs(), 3U);
  ASSERT_EQ(emulator.num_outputs(), 4U);
  EXPECT_EQ(emulator.output_type(0).fixed().width, 6);
  const std::vector<int64_t> as{1, 2, 3, 4}, unused{0, 0, 0, 0, 0, 0}, bs{-5, 7};
  const auto outputs = emulator.run_all(std::vector<std::span<const int64_t>>{as, unused, bs});
  const std::vector<int64_t> sums{-4, -3, 10, 11};
  EXPECT_EQ(outputs, (std::vector<std::vector<int64_t>>{{-8, -6, 20, 22}, bs, sums, sums}));
}

TEST(Emulator, MemoryIsReusedOnlyWhenNobodyReadsItAnyMore) {
  // %x is read at the beginning and at the end.
  Builder builder("branch");
  const ValueId x = builder.add("x", graph::Input{{{2}, Int4}}).value();
  ValueId y = builder.add("y", graph::Abs{}, {x}).value();
  for (int i = 0; i < 4; ++i)
    y = builder.add("y", graph::Negate{}, {y}).value();
  builder.output(builder.add("z", graph::Sub{}, {y, x}).value());
  const Emulator emulator(std::move(builder).finish().value());
  EXPECT_EQ(emulator.run(std::vector<int64_t>{-8, 3}), (std::vector<int64_t>{16, 0}));
}

TEST(Emulator, ReportsProgressAndStopsWhenAsked) {
  const Emulator emulator(relu_graph(1, Int4));
  const std::vector<int64_t> inputs(50'000, 3);
  std::vector<double> fractions;
  const auto listen = [&](std::string_view, double fraction) {
    fractions.push_back(fraction);
    return true;
  };
  EXPECT_EQ(emulator.run(inputs, listen), inputs);
  ASSERT_GE(fractions.size(), 3U);
  EXPECT_EQ(fractions.front(), 0.0);
  EXPECT_EQ(fractions.back(), 1.0);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_TRUE(
      emulator.run(inputs, [](std::string_view, double done) { return done < 0.1; }).empty());
}

TEST(Emulator, RefusesInputsThatTheTypeDoesNotHold) {
  const Emulator emulator(relu_graph(2, Int4));
  EXPECT_THROW((void)emulator.run(std::vector<int64_t>{1, 2, 3}), InternalError);
  EXPECT_THROW((void)emulator.run(std::vector<int64_t>{1, 8}), InternalError);
  EXPECT_THROW((void)emulator.run(std::vector<int64_t>{-9, 1}), InternalError);
}

TEST(Emulator, RefusesGraphsThatItCannotRun) {
  Builder real("real");
  const ValueId r = real.add("x", graph::Input{{{1}, std::nullopt}}).value();
  real.output(real.add("y", graph::Unary{}, {r}).value());
  EXPECT_THROW(Emulator(std::move(real).finish().value()), InternalError);

  Builder two("two");
  const ValueId a = two.add("a", graph::Input{{{1}, Int4}}).value();
  two.output(two.add("b", graph::Input{{{1}, Int4}}).value());
  two.output(a);
  const Emulator swapped(std::move(two).finish().value());
  EXPECT_THROW((void)swapped.run(std::vector<int64_t>{1}), InternalError);
  const std::vector<int64_t> one{1}, both{1, 2};
  EXPECT_THROW((void)swapped.run_all(std::vector<std::span<const int64_t>>{one}), InternalError);
  EXPECT_THROW((void)swapped.run_all(std::vector<std::span<const int64_t>>{one, both}),
               InternalError);

  Builder dynamic("dynamic");
  const ValueId x = dynamic.add("x", graph::Input{{{1}, Int4}}).value();
  const ValueId scale = dynamic.add("scale", graph::Relu{}, {x}).value();
  const ValueId offset = dynamic.constant("offset", {{1}, {1}}, Int4).value();
  dynamic.output(dynamic.add("y", graph::Affine{}, {x, scale, offset}).value());
  EXPECT_THROW(Emulator(std::move(dynamic).finish().value()), InternalError);
}

}  // namespace
}  // namespace millrace::emulator
