// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/adder_datapath.h"

#include <gtest/gtest.h>
#include <random>

#include "millrace/adders/multiply_matrix.h"

namespace millrace::dataflow {
namespace {

using adders::AdderGraph;
using adders::Matrix;
using adders::Range;

TEST(AdderDatapath, ComputesWhatTheGraphComputes) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    Matrix matrix{.rows = 1 + static_cast<int>(random() % 5),
                  .columns = 1 + static_cast<int>(random() % 5),
                  .entries = {}};
    for (int i = 0; i < matrix.rows * matrix.columns; ++i)
      matrix.entries.push_back(static_cast<int64_t>(random() % 64) - 32);
    std::vector<Range> ranges;
    for (int column = 0; column < matrix.columns; ++column) {
      const Int128 lo = static_cast<Int128>(random() % 40) - 20;
      ranges.push_back({lo, lo + static_cast<Int128>(random() % 20)});
    }
    const AdderGraph graph = adders::multiply_matrix(matrix, ranges).value();
    const Datapath path = adder_datapath(graph, ranges);
    ASSERT_EQ(path.num_inputs(), matrix.columns);
    for (const bool highest : {false, true}) {
      std::vector<Int128> x;
      for (const Range& range : ranges)
        x.push_back(highest ? range.hi : range.lo);
      // The output types hold every result: nothing is cut off.
      EXPECT_TRUE(path.evaluate(x) == adders::evaluate(graph, x));
    }
  }
}

TEST(AdderDatapath, RowsMayBeZeroShiftedOrNegated) {
  const AdderGraph graph{
      .num_inputs = 2,
      .adders = {},
      .rows = {{}, {.value = 0, .shift = 3}, {.value = 1, .shift = 1, .negate = true}}};
  const Datapath path = adder_datapath(graph, std::vector<Range>{{0, 3}, {-1, 2}});
  EXPECT_TRUE(path.evaluate(std::vector<Int128>{3, -1}) == (std::vector<Int128>{0, 24, 2}));
  EXPECT_TRUE(path.evaluate(std::vector<Int128>{1, 2}) == (std::vector<Int128>{0, 8, -4}));
  EXPECT_EQ(path.outputs[0].type, (FixedType{false, 1, 0}));
  EXPECT_EQ(path.outputs[1].type, (FixedType{false, 5, 0}));
  EXPECT_EQ(path.outputs[2].type, (FixedType{true, 3, 0}));
}

TEST(AdderDatapath, AShiftTakesNoTimeButANegationDoes) {
  const DelayModel delays{.family = "test",
                          .register_ps = 500,
                          .lut_ps = 100,
                          .adder_base_ps = 400,
                          .adder_per_bit_ps = 10,
                          .memory_read_ps = 500};
  AdderGraph graph{.num_inputs = 1, .adders = {}, .rows = {{.value = 0, .shift = 3}}};
  Datapath shifted = adder_datapath(graph, std::vector<Range>{{-8, 7}});
  ASSERT_TRUE(shifted.pipeline(delays, 2, 0, 0, "").has_value());
  EXPECT_EQ(shifted.latency_cycles(), 0);
  EXPECT_EQ(shifted.flip_flops(), 0);
  graph.rows.front().negate = true;
  Datapath negated = adder_datapath(graph, std::vector<Range>{{-8, 7}});
  ASSERT_TRUE(negated.pipeline(delays, 2, 0, 0, "").has_value());
  EXPECT_EQ(negated.latency_cycles(), 1);
  EXPECT_EQ(negated.flip_flops(), 8);
}

TEST(AdderDatapath, ConstantInputsFoldIntoConstants) {
  const AdderGraph graph{.num_inputs = 2,
                         .adders = {{.a = 0, .b = 1, .shift_a = 1}},
                         .rows = {{.value = 2}, {.value = 1, .negate = true}}};
  const Datapath path = adder_datapath(graph, std::vector<Range>{{5, 5}, {-7, -7}});
  for (const Datapath::Output& output : path.outputs)
    EXPECT_TRUE(path.node(output.node).is_constant());
  EXPECT_TRUE(path.evaluate(std::vector<Int128>{5, -7}) == (std::vector<Int128>{3, 7}));
}

}  // namespace
}  // namespace millrace::dataflow
